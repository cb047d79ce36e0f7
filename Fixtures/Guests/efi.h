// The few pieces of the UEFI specification (2.10) that the guest in uefi.c uses. What it doesn't
// use is there as padding, so that the rest lies where the firmware has it.

#pragma once

#include <stdint.h>

typedef uintptr_t efi_status;  // 0 is success
typedef void *efi_handle;
typedef void *efi_event;

typedef struct {
  uint32_t a;
  uint16_t b, c;
  uint8_t d[8];
} efi_guid;

typedef struct {
  uint64_t signature;
  uint32_t revision, size, checksum, reserved;
} efi_table_header;

typedef struct {
  uint16_t scan_code;
  uint16_t character;  // 0 for a key that has none, such as an arrow
} efi_key;

// EFI_SIMPLE_TEXT_INPUT_PROTOCOL
typedef struct efi_input {
  void *reset;
  efi_status (*read_key)(struct efi_input *, efi_key *);
  efi_event key_pressed;
} efi_input;

// EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL
typedef struct efi_output {
  void *reset;
  efi_status (*print)(struct efi_output *, const uint16_t *text);
} efi_output;

enum { EFI_EVENT_TIMER = 0x80000000u, EFI_TIMER_PERIODIC = 1, EFI_RESET_SHUTDOWN = 2 };

typedef struct {
  efi_table_header header;
  void *memory_and_tasks[7];
  efi_status (*create_event)(uint32_t type, uintptr_t level, void *notify, void *, efi_event *);
  efi_status (*set_timer)(efi_event, uint32_t kind, uint64_t period);  // in units of 100 ns
  efi_status (*wait_for_event)(uintptr_t count, efi_event *, uintptr_t *index);
  void *events_and_protocols[19];
  efi_status (*set_watchdog)(uintptr_t seconds, uint64_t code, uintptr_t size, uint16_t *data);
} efi_boot_services;

typedef struct {
  efi_table_header header;
  void *time_and_variables[10];
  void (*reset_system)(uint32_t kind, efi_status, uintptr_t size, void *data);
} efi_runtime_services;

typedef struct {
  efi_guid guid;
  void *table;
} efi_configuration;

typedef struct {
  efi_table_header header;
  uint16_t *vendor;
  uint32_t revision;
  efi_handle input_handle;
  efi_input *input;
  efi_handle output_handle;
  efi_output *output;
  efi_handle error_handle;
  efi_output *error;
  efi_runtime_services *runtime;
  efi_boot_services *boot;
  uintptr_t configuration_count;
  efi_configuration *configuration;
} efi_system_table;
