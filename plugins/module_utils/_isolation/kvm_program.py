# Copyright: (c) 2026, the sovereign.region authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of the child that asks KVM: it opens the node, makes a VM, and lets a small guest run in it.

``kvm_probe.py`` hands this very text to an interpreter of its own, so that a kernel that hangs, or that kills whoever
asks, costs a child and no more. Hence it imports nothing of this collection. Each step is one JSON line on standard
output, written as soon as it is known: how far a child came is seen even when it never ends.

Sources: Linux 6.12, include/uapi/linux/kvm.h, arch/x86/include/uapi/asm/kvm.h and Documentation/virt/kvm/api.rst for
numbers and structures; AMD64 Architecture Programmer's Manual, volume 2, for page tables, descriptors and registers.
"""

from __future__ import annotations

import errno
import fcntl
import json
import mmap
import os
import signal
import struct
import sys

API_VERSION = 12
_GET_API_VERSION, _CREATE_VM, _CHECK_EXTENSION, _VCPU_MMAP_SIZE = 0xAE00, 0xAE01, 0xAE03, 0xAE04
_SUPPORTED_CPUID, _CREATE_VCPU, _SET_MEMORY, _SET_TSS_ADDRESS, _RUN = 0xC008AE05, 0xAE41, 0x4020AE46, 0xAE47, 0xAE80
_SET_REGISTERS, _GET_SPECIAL, _SET_SPECIAL, _SET_CPUID = 0x4090AE82, 0x8138AE83, 0x4138AE84, 0x4008AE90
_CAP_ARM_IPA_SIZE = 165
_EXITS = {0: "unknown", 1: "exception", 2: "io", 5: "hlt", 6: "mmio", 8: "shutdown (triple fault)", 9: "fail_entry",
          10: "intr", 17: "internal_error", 24: "system_event", 37: "notify"}
_SUBERRORS = {1: "an instruction could not be emulated", 2: "simultaneous exceptions", 3: "delivery of an event",
              4: "unexpected exit"}
_IO, _FAIL_ENTRY, _INTR, _INTERNAL = 2, 9, 10, 17
# Three pages that KVM on Intel keeps for itself, above the memory of the guest. ioctl() of Python takes 31 bits.
_TSS_ADDRESS = 0x1000000

_MEMORY = 0x200000
_PML4, _PDPT, _DIRECTORY, _TABLE = 0x1000, 0x2000, 0x3000, 0x4000
_IDT, _GDT, _IDTR, _CODE = 0x5000, 0x6000, 0x7000, 0x8000
_PORT = 0x5E
_UNDEFINED = 6

# The guest, one step after the other; each adds a bit of its own to ebx, and the sum leaves through the port.
# Assembled with GNU as.
_LONG_MODE = ("48c7c400800000"    # mov rsp, 0x8000
              "31db"              # xor ebx, ebx
              "b9800000c0"        # mov ecx, 0xc0000080 (EFER)
              "0f32"              # rdmsr
              "0fbae00a"          # bt eax, 10 (long mode is active)
              "83d300")           # adc ebx, 0
_PAGING = ("b800900040"           # mov eax, 0x40009000: the second mapping of 0x9000
           "c70034125a5a"         # mov dword ptr [rax], 0x5a5a1234
           "ba00900000"           # mov edx, 0x9000
           "8b12"                 # mov edx, [rdx]
           "81ea32125a5a"         # sub edx, 0x5a5a1232
           "01d3"                 # add ebx, edx
           "0f20d80f22d8")        # mov rax, cr3; mov cr3, rax
_EXCEPTION = ("0f011c2500700000"  # lidt [0x7000]
              "0f0b")             # ud2, whose handler adds 4
_SSE2 = ("b804000000"             # mov eax, 4
         "660f6ec0660ffec0"       # movd xmm0, eax; paddd xmm0, xmm0
         "660f7ec001c3")          # movd eax, xmm0; add ebx, eax
_POPCNT = ("b8ffff0000"           # mov eax, 0xffff
           "f30fb8c001c3")        # popcnt eax, eax; add ebx, eax
# What decompresses a kernel is built with these where the processor has them.
_BMI2 = ("b801000000b905000000"   # mov eax, 1; mov ecx, 5
         "c4e271f7c001c3")        # shlx eax, eax, ecx; add ebx, eax
_AVX2 = ("0f20e00d000004000f22e0"  # mov rax, cr4; or eax, 0x40000 (OSXSAVE); mov cr4, rax
         "31c90f01d083c8070f01d1"  # xor ecx, ecx; xgetbv; or eax, 7; xsetbv
         "b820000000c5f96ec8"      # mov eax, 32; vmovd xmm1, eax
         "c4e27d58c9c5f5fec9"      # vpbroadcastd ymm1, xmm1; vpaddd ymm1, ymm1, ymm1
         "c4e37d39c901c5f97ec8"    # vextracti128 xmm1, ymm1, 1; vmovd eax, xmm1
         "01c3c5f877")             # add ebx, eax; vzeroupper
_FINISH = ("89d866ba5e00eff4")    # mov eax, ebx; mov dx, 0x5e; out dx, eax; hlt
_HANDLER = ("83c304"              # add ebx, 4
            "4883042402"          # add qword ptr [rsp], 2: behind the ud2
            "48cf")               # iretq
_ALWAYS = (("long_mode", 1, _LONG_MODE), ("paging", 2, _PAGING), ("exception", 4, _EXCEPTION), ("sse2", 8, _SSE2))
_WHERE_THERE = (("popcnt", 16, _POPCNT), ("bmi2", 32, _BMI2), ("avx2", 64, _AVX2))


def offered(entries):
    """Return which of the optional steps the processor of a guest has. Pure.

    Args:
        entries: tuples of function, index, flags, eax, ebx, ecx, edx of KVM_GET_SUPPORTED_CPUID.
    """
    found = {(one[0], one[1]): one[3:] for one in entries}
    ecx_1 = found.get((1, 0), (0, 0, 0, 0))[2]
    ebx_7 = found.get((7, 0), (0, 0, 0, 0))[1]
    state = found.get((0xD, 0), (0, 0, 0, 0))[0]
    has_avx = ecx_1 >> 26 & 1 and ecx_1 >> 28 & 1 and state & 7 == 7
    known = {"popcnt": ecx_1 >> 23 & 1, "bmi2": ebx_7 >> 8 & 1, "avx2": ebx_7 >> 5 & 1 and has_avx}
    return [name for name, has in known.items() if has]


def image(steps):
    """Return the memory of the guest that does ``steps``, and the number that it ends with. Pure."""
    chosen = list(_ALWAYS) + [one for one in _WHERE_THERE if one[0] in steps]
    memory = bytearray(0x10000)
    struct.pack_into("<Q", memory, _PML4, _PDPT | 3)
    # The first two GiB of addresses lead to one and the same table of 4 KiB pages.
    struct.pack_into("<QQ", memory, _PDPT, _DIRECTORY | 3, _DIRECTORY | 3)
    struct.pack_into("<Q", memory, _DIRECTORY, _TABLE | 3)
    for page in range(512):
        struct.pack_into("<Q", memory, _TABLE + 8 * page, page << 12 | 3)
    # Nothing, 64-bit code, data.
    struct.pack_into("<QQQ", memory, _GDT, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF)
    code = bytes.fromhex("".join(one[2] for one in chosen) + _FINISH)
    handler = _CODE + len(code)
    struct.pack_into("<HHBBHIL", memory, _IDT + 16 * _UNDEFINED, handler & 0xFFFF, 8, 0, 0x8E, handler >> 16, 0, 0)
    struct.pack_into("<HQ", memory, _IDTR, 16 * 32 - 1, _IDT)
    code += bytes.fromhex(_HANDLER)
    memory[_CODE:_CODE + len(code)] = code
    return bytes(memory), sum(one[1] for one in chosen)


def special(given):
    """Return struct kvm_sregs of a processor in 64-bit mode with paging on, from the one that KVM gave. Pure."""
    def segment(selector, kind, code):
        return struct.pack("<QIHBBBBBBBBBB", 0, 0xFFFFFFFF, selector, kind, 1, 0, 0 if code else 1, 1, int(code), 1,
                           0, 0, 0)

    data = segment(16, 3, False)
    task = struct.pack("<QIHBBBBBBBBBB", 0, 0x67, 0, 11, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    local = struct.pack("<QIHBBBBBBBBBB", 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0)
    segments = segment(8, 11, True) + data * 5 + task + local
    tables = struct.pack("<QHHHH", _GDT, 23, 0, 0, 0) + struct.pack("<QHHHH", 0, 0, 0, 0, 0)
    # CR0 PG AM WP NE ET MP PE; CR4 PAE OSFXSR OSXMMEXCPT; EFER LMA LME.
    control = struct.pack("<QQQQQQ", 0x80050033, 0, _PML4, 0x620, 0, 0x500)
    made = segments + tables + control
    return bytearray(made + bytes(given[len(made):]))


def ask(path, depth, say):
    """Go from step to step until ``depth``, and hand what each found to ``say``.

    Args:
        path: of the node.
        depth: openable, create_vm or run.
        say: function of a dictionary with level and ok, and what was found or what was wrong.
    """
    try:
        node = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        return say(dict(_wrong(error), level="openable", step="open"))
    try:
        version = fcntl.ioctl(node, _GET_API_VERSION, 0)
    except OSError as error:
        return say(dict(_wrong(error), level="openable", step="KVM_GET_API_VERSION"))
    say({"level": "openable", "ok": version == API_VERSION, "api_version": version})
    if version != API_VERSION or depth == "openable":
        return None
    try:
        machine = fcntl.ioctl(node, _CREATE_VM, _type_of_machine(node))
    except OSError as error:
        return say(dict(_wrong(error), level="create_vm", step="KVM_CREATE_VM"))
    say({"level": "create_vm", "ok": True})
    if depth == "create_vm":
        return None
    try:
        return say(dict(_run(node, machine), level="run"))
    except ImportError as error:
        return say({"level": "run", "ok": None, "words": "this Python has no {0}".format(error.name)})
    except OSError as error:
        return say(dict(_wrong(error), level="run", step=getattr(error, "step", "KVM_RUN")))


def main(arguments):
    """Ask, and end. Arguments: the path of the node, the depth, and after how many seconds to end whatever happens."""
    def say(answer):
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()

    # When whoever started this is killed, nobody else would end a guest that never ends.
    signal.setitimer(signal.ITIMER_REAL, float(arguments[2]))
    ask(arguments[0], arguments[1], say)


def _wrong(error):
    return {"ok": False, "errno": errno.errorcode.get(error.errno, str(error.errno)), "words": error.strerror}


def _type_of_machine(node):
    """Return the type for KVM_CREATE_VM: on arm64 the default of 40 bits of addresses is too much for some machines."""
    if os.uname().machine != "aarch64":
        return 0
    return max(fcntl.ioctl(node, _CHECK_EXTENSION, _CAP_ARM_IPA_SIZE), 0) & 0xFF


def _step(name, descriptor, request, argument):
    """Do one ioctl; an error names it."""
    try:
        return fcntl.ioctl(descriptor, request, argument)
    except OSError as error:
        error.step = name
        raise


def _cpuid(node):
    """Return struct kvm_cpuid2 with all that the processor of a guest can have, and its entries."""
    for most in (128, 256, 512, 1024):
        table = bytearray(struct.pack("<II", most, 0)) + bytearray(40 * most)
        try:
            _step("KVM_GET_SUPPORTED_CPUID", node, _SUPPORTED_CPUID, table)
        except OSError as error:
            if error.errno == errno.E2BIG and most < 1024:
                continue
            raise
        break
    count = struct.unpack_from("<I", table)[0]
    return table, [struct.unpack_from("<7I", table, 8 + 40 * at) for at in range(count)]


def _run(node, machine):
    """Let the guest run, and return what came of it."""
    # A minimal Python of a distribution may lack it; the levels below do without.
    import ctypes
    table, entries = _cpuid(node)
    steps = offered(entries)
    content, expected = image(steps)
    memory = mmap.mmap(-1, _MEMORY, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory[:len(content)] = content
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    _step("KVM_SET_TSS_ADDR", machine, _SET_TSS_ADDRESS, _TSS_ADDRESS)
    _step("KVM_SET_USER_MEMORY_REGION", machine, _SET_MEMORY, struct.pack("<IIQQQ", 0, 0, 0, _MEMORY, address))
    processor = _step("KVM_CREATE_VCPU", machine, _CREATE_VCPU, 0)
    shared = mmap.mmap(processor, _step("KVM_GET_VCPU_MMAP_SIZE", node, _VCPU_MMAP_SIZE, 0))
    _step("KVM_SET_CPUID2", processor, _SET_CPUID, table)
    given = bytearray(312)
    _step("KVM_GET_SREGS", processor, _GET_SPECIAL, given)
    _step("KVM_SET_SREGS", processor, _SET_SPECIAL, special(given))
    _step("KVM_SET_REGS", processor, _SET_REGISTERS, struct.pack("<18Q", *([0] * 16 + [_CODE, 2])))
    while True:
        try:
            _step("KVM_RUN", processor, _RUN, 0)
        except InterruptedError:
            continue
        reason = struct.unpack_from("<I", shared, 8)[0]
        if reason != _INTR:
            break
    names = [one[0] for one in _ALWAYS] + steps
    return dict(_judged(reason, shared[:], expected), instructions=names)


def _judged(reason, shared, expected):
    """Return what an exit of the guest says. Pure.

    Args:
        reason: why KVM_RUN came back.
        shared: struct kvm_run.
        expected: the number that the guest ends with.
    """
    found = {"exit": _EXITS.get(reason, "number {0}".format(reason))}
    if reason == _IO:
        out, size, port, _count, offset = struct.unpack_from("<BBHIQ", shared, 32)
        value = int.from_bytes(shared[offset:offset + size], "little")
        right = (out, size, port, value) == (1, 4, _PORT, expected)
        return dict(found, ok=right, value=value, expected=expected)
    if reason == _INTERNAL:
        number = struct.unpack_from("<I", shared, 32)[0]
        found["detail"] = _SUBERRORS.get(number, "suberror {0}".format(number))
    elif reason == _FAIL_ENTRY:
        found["detail"] = "hardware reason {0:#x}".format(struct.unpack_from("<Q", shared, 32)[0])
    return dict(found, ok=False)


if __name__ == "__main__":
    main(sys.argv[1:])
