extension Driver {
  /// Specification §7, "OpenBSD x86-64".
  static let openbsdX8664 = Driver(.openbsd, .x86_64) { paths in
    // swift-format-ignore
    [
      "qemu-system-x86_64",
      "-nographic",
      "-machine", "type=q35,accel=hvf:kvm:tcg",
      "-cpu", "max,-pdpe1gb",
      "-smp", "2",
      "-m", "6G",
      "-device", "e1000,netdev=user.0,addr=0x03",
      "-netdev", "user,id=user.0,hostfwd=tcp::2847-:22",
      "-display", "none",
      "-monitor", "none",
      "-boot", "strict=off",
      "-drive", "if=pflash,format=raw,unit=0,file=\(paths.cache)/share/qemu/uefi.fd,readonly=on",
      "-device", "virtio-scsi-pci",
      "-device", "scsi-hd,drive=drive0,bootindex=0",
      "-drive", "if=none,file=\(paths.image),id=drive0,cache=unsafe,discard=ignore,format=qcow2",
    ]
  }
}
