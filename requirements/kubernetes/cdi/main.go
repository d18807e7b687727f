// Copyright: (c) 2026, the sovereign.region authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Reads CDI specifications as containerd and the Go shim of Kata do, and prints the devices in them.
package main

import (
	"fmt"
	"os"

	"tags.cncf.io/container-device-interface/pkg/cdi"
)

func main() {
	for _, path := range os.Args[1:] {
		spec, err := cdi.ReadSpec(path, 0)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for _, device := range spec.Devices {
			fmt.Print(spec.Kind, "=", device.Name)
			for _, node := range device.ContainerEdits.DeviceNodes {
				fmt.Print(" ", node.Path)
			}
			fmt.Println()
		}
	}
}
