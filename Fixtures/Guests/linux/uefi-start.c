// Starts the kernel on a machine that boots by UEFI, which begins with this program. The kernel is a
// UEFI program, too; this one gives it its options, and so the name of its initramfs.

#include <stdint.h>

typedef uintptr_t efi_status;  // 0 is success
typedef void *efi_handle;

typedef struct {
  uint32_t a;
  uint16_t b, c;
  uint8_t d[8];
} efi_guid;

// The pieces of the UEFI specification (2.10) that are used; the rest is padding.

typedef struct efi_file {
  uint64_t revision;
  efi_status (*open)(struct efi_file *, struct efi_file **, const uint16_t *name, uint64_t mode,
                     uint64_t attributes);
  void *close_and_remove[2];
  efi_status (*read)(struct efi_file *, uintptr_t *size, void *buffer);
  void *write;
  efi_status (*position)(struct efi_file *, uint64_t *);
  efi_status (*set_position)(struct efi_file *, uint64_t);
} efi_file;

typedef struct efi_volume {
  uint64_t revision;
  efi_status (*open)(struct efi_volume *, efi_file **root);
} efi_volume;

typedef struct {
  uint32_t revision;
  void *parent_and_system[2];
  efi_handle device;
  void *path_and_reserved[2];
  uint32_t options_size;  // in bytes
  const uint16_t *options;
} efi_image;

typedef struct {
  uint8_t header[24];
  void *memory[5];
  efi_status (*allocate)(uint32_t kind, uintptr_t size, void **buffer);
  void *free_and_events[10];
  efi_status (*protocol)(efi_handle, const efi_guid *, void **);
  void *others[5];
  efi_status (*load)(uint8_t by_policy, efi_handle parent, void *path, void *source, uintptr_t size,
                     efi_handle *);
  efi_status (*start)(efi_handle, uintptr_t *, uint16_t **);
} efi_boot_services;

typedef struct efi_output {
  void *reset;
  efi_status (*print)(struct efi_output *, const uint16_t *text);
} efi_output;

typedef struct {
  uint8_t header[24];
  void *firmware[2];
  void *input[2];
  efi_handle output_handle;
  efi_output *output;
  void *errors_and_runtime[3];
  efi_boot_services *boot;
} efi_system_table;

static const efi_guid image_guid = {
    0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const efi_guid volume_guid = {
    0x964e5b22, 0x6459, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};

static const uint16_t options[] = u"initrd=\\initrd " OPTIONS;

enum { EFI_LOADER_DATA = 2, EFI_FILE_MODE_READ = 1 };

static efi_status fail(efi_system_table *system, const uint16_t *what) {
  system->output->print(system->output, what);
  return 1;
}

efi_status efi_main(efi_handle self, efi_system_table *system) {
  efi_boot_services *boot = system->boot;
  efi_image *image;
  efi_volume *volume;
  efi_file *root, *file;
  uint64_t length;
  void *kernel;
  efi_handle handle;

  if (boot->protocol(self, &image_guid, (void **)&image) ||
      boot->protocol(image->device, &volume_guid, (void **)&volume) ||
      volume->open(volume, &root) ||
      root->open(root, &file, u"\\linux.efi", EFI_FILE_MODE_READ, 0))
    return fail(system, u"no kernel\r\n");
  file->set_position(file, UINT64_MAX);  // its end
  file->position(file, &length);
  file->set_position(file, 0);
  uintptr_t size = length;
  if (boot->allocate(EFI_LOADER_DATA, size, &kernel) || file->read(file, &size, kernel))
    return fail(system, u"the kernel cannot be read\r\n");
  efi_handle device = image->device;
  if (boot->load(0, self, 0, kernel, size, &handle) ||
      boot->protocol(handle, &image_guid, (void **)&image))
    return fail(system, u"the kernel cannot be loaded\r\n");
  image->device = device;  // where the kernel looks for its initramfs
  image->options = options;
  image->options_size = sizeof options;
  boot->start(handle, 0, 0);
  return fail(system, u"the kernel cannot be started\r\n");
}
