// A disk with a FAT file system that holds one file, the program that UEFI starts from a disk by
// default: EFI/BOOT/ and PROGRAM, an 11-character name such as "BOOTX64 EFI". The file's content
// comes from the assembler's include path, as `program.efi`.
//
// There is no partition table; the firmware takes the whole disk as one file system. A cluster is
// so large that a folder, and the file, are one each, so the chains are all of one link.

#define SECTOR 512
#define CLUSTER_SECTORS 64
#define CLUSTER (CLUSTER_SECTORS * SECTOR)
#define SECTORS 2048           // 1 MiB
#define ROOT_ENTRIES 16        // what fits in one sector

// A directory entry: what it is called, whether it is a folder (0x10) or a file (0x20), the cluster
// where it begins, its size in bytes. Its times are 1980-01-01 00:00.
        .macro  entry name, kind, cluster, size
        .ascii  "\name"
        .byte   \kind
        .zero   12
        .word   0x0021, \cluster
        .long   \size
        .endm

        .text
        .globl  disk
disk:   .byte   0xeb, 0x3c, 0x90        // a jump, by which drivers know a boot sector
        .ascii  "QVM     "
        .word   SECTOR
        .byte   CLUSTER_SECTORS
        .word   1                       // sectors before the allocation table
        .byte   1                       // allocation tables
        .word   ROOT_ENTRIES
        .word   SECTORS
        .byte   0xf8                    // a fixed disk
        .word   1                       // sectors of the allocation table
        .word   63, 255                 // sectors a track, heads: unused
        .long   0, 0
        .byte   0x80, 0, 0x29
        .long   1                       // serial number
        .ascii  "QVM GUEST  "
        .ascii  "FAT12   "
        .org    510
        .word   0xaa55

// The allocation table: 12 bits each for two reserved entries and for clusters 2, 3 and 4, which
// are all the last of their chain.
        .byte   0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f
        .org    2 * SECTOR

root:   entry   "EFI        ", 0x10, 2, 0
        .org    3 * SECTOR

efi:    entry   ".          ", 0x10, 2, 0
        entry   "..         ", 0x10, 0, 0
        entry   "BOOT       ", 0x10, 3, 0
        .org    3 * SECTOR + CLUSTER

boot:   entry   ".          ", 0x10, 3, 0
        entry   "..         ", 0x10, 2, 0
        entry   PROGRAM, 0x20, 4, end - program
        .org    3 * SECTOR + 2 * CLUSTER

program: .incbin "program.efi"
end:
        .org    3 * SECTOR + 3 * CLUSTER // fails if the file is too long for its cluster
        .org    SECTORS * SECTOR
