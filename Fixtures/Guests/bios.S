// The guests that a BIOS boots, for QEMU's q35 machine: one source, one guest for each of
// -DVARIANT_demo, -DVARIANT_deaf and so on. README.md says what each is for. The table below says
// what a guest is called, what it announces when it is ready, whether it OBEYS the power button (if
// something is DUE, from then on), and when it is DUE to do what it is for, with which words.
//
// A guest is the one sector that the BIOS loads at 0x7c00 and runs in real mode. After a few lines
// of setting up it is a loop, `idle`, that halts the processor until a key is typed, the power
// button is pressed, or the timer ticks.

#define SECOND * 182 / 10      // in ticks of the timer as the BIOS leaves it, 18.2 a second

#if defined(VARIANT_demo)
#define NAME "qvm demo guest 1"
#define HINT "type, and it is echoed; press the power button to end"
#define OBEYS
#elif defined(VARIANT_deaf)
#define NAME "qvm deaf guest"
#define HINT "type, and it is echoed; the power button does nothing"
#elif defined(VARIANT_late)
#define NAME "qvm late guest"
#define HINT "type, and it is echoed; the power button works in 4 seconds"
#define OBEYS
#define DUE (4 SECOND)
#define WORDS "the power button works now"
#elif defined(VARIANT_rebooting)
#define NAME "qvm rebooting guest"
#define HINT "resets itself in a second, again and again"
#define DUE (1 SECOND)
#define WORDS "resetting"
#elif defined(VARIANT_crashing)
#define NAME "qvm crashing guest"
#define HINT "crashes in a second"
#define DUE (1 SECOND)
#define WORDS "crashing"
#elif defined(VARIANT_panicking)
#define NAME "qvm panicking guest"
#define HINT "reports a panic in a second"
#define DUE (1 SECOND)
#define WORDS "panicking"
#elif defined(VARIANT_slow)
#define NAME "qvm slow guest"
#define HINT "type, and it is echoed; the power button takes 3 seconds"
#define OBEYS
#elif defined(VARIANT_restarting)
#define NAME "qvm restarting guest"
#define HINT "the power button restarts it once, then ends it"
#define OBEYS
#elif defined(VARIANT_exiting)
#define NAME "qvm exiting guest"
#define HINT "powers off by itself in 2 seconds"
#define DUE (2 SECOND)
#define WORDS "powering off"
#elif defined(VARIANT_writing)
#define NAME "qvm writing guest"
#define HINT "fills its disk; press the power button to end"
#define OBEYS
#else
#error "Name the guest: -DVARIANT_demo, for example."
#endif

#define CHUNK 64               // sectors in one write: 32 KiB
#define COM1 0x3f8
#define PM1_STS 0              // ACPI's registers, from the power management base
#define PM1_EN 2
#define PM1_CNT 4
#define PWRBTN 0x0100          // the power button's bit in PM1_STS and PM1_EN
#define SLP_EN 0x2000          // in PM1_CNT; the sleep type next to it is 0: S5, as QEMU numbers it

        .code16
        .text
        .globl  start
start:  ljmp    $0, $1f
1:      xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $start, %sp
        cld
#if defined(VARIANT_writing)
        movb    %dl, drive              // what the guest was booted from, as the BIOS numbers it
#endif

// The BIOS's own timer interrupt has to go: it looks for keys on the serial console as well and
// would take what is typed.
        cli
        movw    $tick, 0x08 * 4         // IRQ 0: the timer
        movw    %ax, 0x08 * 4 + 2
        movw    $typed, 0x0c * 4        // IRQ 4: COM1
        movw    %ax, 0x0c * 4 + 2
        movw    $pressed, 0x71 * 4      // IRQ 9: ACPI
        movw    %ax, 0x71 * 4 + 2
        movb    $0xea, %al              // let in the timer, COM1, and the second controller,
        outb    %al, $0x21
        movb    $0xfd, %al              // there only ACPI
        outb    %al, $0xa1

        movw    $COM1 + 2, %dx
        movb    $0x01, %al              // queue what is received
        outb    %al, %dx
        movw    $COM1 + 4, %dx
        movb    $0x0b, %al              // ready to receive, interrupts connected
        outb    %al, %dx
        movw    $COM1 + 1, %dx
        movb    $0x01, %al              // interrupt when something is received
        outb    %al, %dx

        movl    $0x8000f840, %eax       // PCI device 0:1f.0, register 0x40: the base's address
        movw    $0xcf8, %dx
        outl    %eax, %dx
        movw    $0xcfc, %dx
        inl     %dx, %eax
        andw    $0xff80, %ax            // the low bits are flags
        movw    %ax, pmbase
#if defined(OBEYS) && !defined(DUE)
        call    listen
#endif
        sti
        movw    $banner, %si
        call    print

// Looks with interrupts off, so that what happens after the look still ends the halt.
idle:   cli
        movw    $COM1 + 5, %dx
        inb     %dx, %al                // line status: something received?
        testb   $0x01, %al
        jnz     echo
#if defined(OBEYS)
        movw    pmbase, %dx             // PM1_STS
        inw     %dx, %ax
        testw   $PWRBTN, %ax
        jnz     button
#endif
#if defined(DUE)
        movl    ticks, %eax
        cmpl    due, %eax
        jae     act
#endif
        sti                             // takes effect behind the next instruction
#if defined(VARIANT_writing)
        jmp     write
#endif
        hlt
        jmp     idle

echo:   sti
        movw    $COM1, %dx
        inb     %dx, %al
        movw    $newline, %si
        cmpb    $'\r', %al
        je      1f
        cmpb    $'\n', %al
        je      1f
        movw    $rubout, %si
        cmpb    $'\b', %al
        je      1f
        cmpb    $0x7f, %al
        je      1f
        call    put
        jmp     idle
1:      call    print
        jmp     idle

#if defined(OBEYS)
// From here on presses count: QEMU drops those that come while this bit is off.
listen: movw    pmbase, %dx
        movw    $PWRBTN, %ax
        outw    %ax, %dx                // PM1_STS: forget what was pressed before
        addw    $PM1_EN, %dx
        outw    %ax, %dx
        ret

button: sti
        movw    $goodbye, %si
        call    print
#if defined(VARIANT_slow)
        movl    ticks, %ebx
        addl    $(3 SECOND), %ebx
1:      hlt
        cmpl    %ebx, ticks
        jb      1b
#elif defined(VARIANT_restarting)
        movb    $0x71, %al              // a byte of the clock's memory, which outlives a reset
        outb    %al, $0x70
        inb     $0x71, %al
        cmpb    $0x5a, %al
        je      off
        movb    $0x5a, %al
        outb    %al, $0x71
        jmp     reset
#endif
#endif
#if defined(OBEYS) || defined(VARIANT_exiting)
off:    movw    pmbase, %dx
        addw    $PM1_CNT, %dx
        movw    $SLP_EN, %ax
        outw    %ax, %dx
        jmp     stop
#endif

#if defined(DUE)
act:    sti
        movl    $-1, due                // once
#if defined(OBEYS)
        call    listen                  // before it says so
#endif
        movw    $acting, %si
        call    print
#if defined(VARIANT_late)
        jmp     idle
#elif defined(VARIANT_rebooting)
        jmp     reset
#elif defined(VARIANT_panicking)
        movw    $0x505, %dx             // QEMU's pvpanic device
        movb    $0x01, %al
        outb    %al, %dx
        jmp     idle
#elif defined(VARIANT_exiting)
        jmp     off
#elif defined(VARIANT_crashing)
// A fault that has no handler, nor has the fault that this is: a triple fault resets the machine.
        cli
        lidt    nothing
        movl    %cr0, %eax
        orb     $1, %al                 // in real mode QEMU doesn't look at the table's size
        movl    %eax, %cr0
        int3
nothing: .word  0
        .long   0
#endif
#endif

#if defined(VARIANT_rebooting) || defined(VARIANT_restarting)
reset:  movw    $0xcf9, %dx             // the reset control register
        movb    $0x06, %al
        outb    %al, %dx
#endif
stop:   hlt
        jmp     stop

#if defined(VARIANT_writing)
// The first time to the end of the disk at full speed, then from its start a chunk a tick.
write:  testb   $1, paced
        jz      1f
        hlt
1:      movw    $CHUNK, chunk           // the BIOS leaves there how much it did
        movw    $packet, %si
        movw    $0x4300, %ax            // extended write
        movb    drive, %dl
        int     $0x13
        jc      1f
        addl    $CHUNK, address
        jmp     idle
1:      movl    $CHUNK, address
        movb    $1, paced
        movw    $full, %si
        call    print
        jmp     idle
#endif

// Prints the text at SI, up to its zero byte, on the serial port.
1:      call    put
print:  lodsb
        testb   %al, %al
        jnz     1b
        ret

// Prints the character in AL.
put:    pushw   %ax
        movw    $COM1 + 5, %dx
1:      inb     %dx, %al                // line status: wait for room
        testb   $0x20, %al
        jz      1b
        popw    %ax
        movw    $COM1, %dx
        outb    %al, %dx
        ret

// The interrupts only end the halt; the loop finds out what there is to do.
tick:   incl    %cs:ticks
typed:  pushw   %ax
        jmp     1f
pressed: pushw  %ax
        movb    $0xff, %al              // asks until PM1_STS is cleared: once is enough
        outb    %al, $0xa1
        movb    $0x20, %al
        outb    %al, $0xa0
1:      movb    $0x20, %al
        outb    %al, $0x20
        popw    %ax
        iret

banner: .ascii  "\r\n", NAME, "\r\nready: ", HINT, "\r\n\0"
newline: .asciz "\r\n"
rubout: .asciz  "\b \b"
#if defined(OBEYS)
goodbye: .asciz "\r\nthe power button was pressed: powering off\r\n"
#endif
#if defined(DUE)
acting: .ascii  "\r\n", WORDS, "\r\n\0"
#endif
#if defined(VARIANT_writing)
full:   .asciz  "\r\nthe disk is written to its end\r\n"
#endif

// What changes while the guest runs.
#if defined(VARIANT_writing)
        .balign 4
// A disk address packet, as int 0x13 takes it: how many sectors, from which offset and segment in
// memory, to which sector of the disk.
packet: .byte   16, 0
chunk:  .word   CHUNK, start, 0         // it doesn't matter what: this guest and what lies behind
address: .quad  CHUNK                   // past the guest's own sector
drive:  .byte   0
paced:  .byte   0                       // 1 once the end of the disk has been reached
#endif
#if defined(DUE)
due:    .long   DUE                     // the tick at which the guest does what it is for
#endif
ticks:  .long   0                       // of the timer, since the banner
pmbase: .word   0                       // ACPI's power management registers

        .org    start + 510             // fails if the guest is too long
        .word   0xaa55
