// The demo guest for machines that boot by UEFI: QEMU's q35 (x86-64) and virt (arm64).
//
// It stays a UEFI application, with the firmware's services at hand: the console is the firmware's,
// which waits in the processor's idle state, and powering off is the firmware's too. Only the power
// button is read from the machine itself, as UEFI has no word for it.

#include "efi.h"

static void listen_to_power_button(const efi_system_table *system);
static int power_button_was_pressed(void);

#if defined(__x86_64__)

// ACPI's registers, as on the BIOS guests' machine.
enum { PM1_STS = 0, PM1_EN = 2, POWER_BUTTON = 1 << 8 };

static uint16_t pm_base;

static void out16(uint16_t port, uint16_t value) {
  __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static uint16_t in16(uint16_t port) {
  uint16_t value;
  __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static void out32(uint16_t port, uint32_t value) {
  __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static void listen_to_power_button(const efi_system_table *system) {
  (void)system;
  out32(0xcf8, 0x8000f840);  // PCI device 0:1f.0, register 0x40: where the registers are
  pm_base = in16(0xcfc) & 0xff80;
  out16(pm_base + PM1_STS, POWER_BUTTON);  // forget what was pressed before
  out16(pm_base + PM1_EN, in16(pm_base + PM1_EN) | POWER_BUTTON);
}

static int power_button_was_pressed(void) {
  return in16(pm_base + PM1_STS) & POWER_BUTTON;
}

#elif defined(__aarch64__)

// With ACPI the button is an event of its Generic Event Device. Reading tells the events since the
// last time, so a press before this guest ran counts. The address is QEMU's.
enum { GED_EVENTS = 0x09080000, GED_POWER_BUTTON = 1 << 1 };

// Without ACPI the button is pin 3 of a PL061, high for a tenth of a second. The controller latches
// the edge even while its interrupt is masked.
enum {
  PL061 = 0x09030000,
  PL061_SENSE = PL061 + 0x404,
  PL061_BOTH_EDGES = PL061 + 0x408,
  PL061_RAW_STATUS = PL061 + 0x414,
  PL061_CLEAR = PL061 + 0x41c,
  PL061_POWER_BUTTON = 1 << 3
};

static int has_acpi;

static volatile uint32_t *at(uintptr_t address) { return (volatile uint32_t *)address; }

static int is_acpi(const efi_guid *guid) {
  static const efi_guid acpi = {
      0x8868e871, 0xe4f1, 0x11d3, {0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81}};
  const uint8_t *a = (const uint8_t *)guid, *b = (const uint8_t *)&acpi;
  for (unsigned i = 0; i < sizeof(efi_guid); i++) {
    if (a[i] != b[i]) return 0;
  }
  return 1;
}

// QEMU has one of the two devices, and touching the other is a fault.
static void listen_to_power_button(const efi_system_table *system) {
  for (uintptr_t i = 0; i < system->configuration_count; i++) {
    if (is_acpi(&system->configuration[i].guid)) has_acpi = 1;
  }
  if (has_acpi) return;
  *at(PL061_SENSE) &= ~PL061_POWER_BUTTON;  // edges, not levels
  *at(PL061_BOTH_EDGES) |= PL061_POWER_BUTTON;
  *at(PL061_CLEAR) = PL061_POWER_BUTTON;
}

static int power_button_was_pressed(void) {
  return has_acpi ? *at(GED_EVENTS) & GED_POWER_BUTTON : *at(PL061_RAW_STATUS) & PL061_POWER_BUTTON;
}

#endif

static void echo(efi_output *output, uint16_t character) {
  uint16_t text[] = {character, 0};
  switch (character) {
  case 0:
    break;
  case u'\r':
  case u'\n':
    output->print(output, u"\r\n");
    break;
  case u'\b':
  case 0x7f:
    output->print(output, u"\b \b");
    break;
  default:
    output->print(output, text);
  }
}

efi_status efi_main(efi_handle image, efi_system_table *system) {
  (void)image;
  efi_output *output = system->output;
  efi_input *input = system->input;
  efi_event tick;
  const uint64_t twenty_milliseconds = 200000;

  system->boot->set_watchdog(0, 0, 0, 0);  // it would reset the machine after five minutes
  system->boot->create_event(EFI_EVENT_TIMER, 0, 0, 0, &tick);
  system->boot->set_timer(tick, EFI_TIMER_PERIODIC, twenty_milliseconds);
  listen_to_power_button(system);

  output->print(
      output,
      u"\r\nqvm demo guest 1\r\n"
      u"ready: type, and it is echoed; press the power button to end\r\n");
  while (!power_button_was_pressed()) {
    efi_event events[] = {input->key_pressed, tick};
    uintptr_t index;
    efi_key key;
    system->boot->wait_for_event(2, events, &index);
    while (input->read_key(input, &key) == 0) echo(output, key.character);
  }
  output->print(output, u"\r\nthe power button was pressed: powering off\r\n");
  system->runtime->reset_system(EFI_RESET_SHUTDOWN, 0, 0, 0);
  return 0;
}
