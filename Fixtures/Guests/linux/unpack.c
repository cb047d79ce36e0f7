// Takes the place of the code that unpacks Debian's kernel. That one unpacks xz, which is half of a boot
// under TCG. This one unpacks LZ4, puts the kernel where it was linked for, and enters it.
//
// The boot loader enters `start` in 32-bit protected mode, without paging, with %esi at the boot
// parameters (Linux' Documentation/x86/boot.rst). The kernel expects 64-bit mode and memory that is mapped
// to the same addresses. PACKED is a file in LZ4's legacy format: a magic number, then blocks, each behind
// its length.

typedef unsigned char Byte;
typedef unsigned int Word;

#define KERNEL 0x1000000
// Above the kernel's memory, and below what 256 MiB have.
#define TABLES 0x6000000
#define STACK (TABLES + 0x10000)

#define TEXT(x) #x
#define NUMBER(x) TEXT(x)

extern const Byte packed[], packedEnd[];

__asm__(
    ".text\n"
    ".globl start\n"
    "start:\n"
    "  cld\n"
    "  movl $" NUMBER(STACK) ", %esp\n"
    "  pushl %esi\n"
    "  call unpack\n"
    "  call mapMemory\n"
    "  popl %esi\n"
    "  lgdt descriptors\n"
    "  movl %cr4, %eax\n"
    "  orl $0x20, %eax\n"  // 8-byte table entries
    "  movl %eax, %cr4\n"
    "  movl $" NUMBER(TABLES) ", %eax\n"
    "  movl %eax, %cr3\n"
    "  movl $0xC0000080, %ecx\n"
    "  rdmsr\n"
    "  orl $0x100, %eax\n"  // 64-bit mode, from paging on
    "  wrmsr\n"
    "  movl $0x18, %eax\n"
    "  movl %eax, %ds\n"
    "  movl %eax, %es\n"
    "  movl %eax, %ss\n"
    "  movl $0x80000001, %eax\n"  // paging
    "  movl %eax, %cr0\n"
    "  ljmp $0x10, $" NUMBER(KERNEL) "\n"
    ".balign 8\n"
    "table: .quad 0, 0, 0x00AF9A000000FFFF, 0x00CF92000000FFFF\n"
    "descriptors: .word 31; .long table\n"
    ".data\n"
    ".globl packed, packedEnd\n"
    "packed: .incbin \"" PACKED "\"\n"
    "packedEnd:\n");

static Word wordAt(const Byte *place) {
  return place[0] | place[1] << 8 | place[2] << 16 | (Word)place[3] << 24;
}

// The rest of a length whose first four bits are all set.
static Word moreLength(const Byte **from) {
  Word length = 0, byte;
  do {
    byte = *(*from)++;
    length += byte;
  } while (byte == 255);
  return length;
}

// Copies upwards, byte by byte: what is copied may contain its own beginning.
static inline Byte *copy(Byte *to, const Byte *from, Word count) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
  return to;
}

static Byte *unpackBlock(const Byte *from, const Byte *end, Byte *to) {
  for (;;) {
    Byte token = *from++;
    Word literals = token >> 4;
    if (literals == 15) literals += moreLength(&from);
    to = copy(to, from, literals);
    from += literals;
    if (from >= end) return to;
    Word distance = from[0] | from[1] << 8;
    from += 2;
    Word length = token & 15;
    if (length == 15) length += moreLength(&from);
    to = copy(to, to - distance, length + 4);
  }
}

__attribute__((used)) static void unpack(void) {
  Byte *to = (Byte *)KERNEL;
  for (const Byte *from = packed + 4; from < packedEnd;) {
    const Byte *end = from + 4 + wordAt(from);
    to = unpackBlock(from + 4, end, to);
    from = end;
  }
}

// Maps the first 4 GiB to themselves, in pages of 2 MiB: a table of tables, one of four folders, and
// these.
__attribute__((used)) static void mapMemory(void) {
  volatile Word *entries = (volatile Word *)TABLES;
  for (Word index = 0; index < 6 * 1024; index += 1) entries[index] = 0;
  entries[0] = TABLES + 0x1000 + 7;
  for (Word index = 0; index < 4; index += 1) {
    entries[1024 + 2 * index] = TABLES + 0x2000 + 0x1000 * index + 7;
  }
  for (Word index = 0; index < 2048; index += 1) entries[2048 + 2 * index] = index << 21 | 0x83;
}
