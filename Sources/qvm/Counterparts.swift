/// What people type who know other programs, and what qvm has in its place.
///
/// One row answers one kind of wish, for all the names that it has in container tools, in VM managers and
/// in ssh. ``Spelling/option(meantBy:in:)`` has the options that qvm has by another name.
enum Counterparts {
  /// The command line that does what a command of other programs does; nil if there is none.
  static func line(for command: String) -> String? {
    switch command {
    case "restart", "reboot": "qvm stop <NAME> && qvm start -d <NAME>"
    case "reset": "qvm stop --force <NAME> && qvm start -d <NAME>"
    case "shell", "login", "connect", "enter": "qvm ssh <NAME>"
    case "delete", "remove", "destroy", "del", "undefine": "qvm rm"
    case "create", "launch", "boot", "up", "new", "init", "define": "qvm run"
    case "shutdown", "poweroff", "halt", "down": "qvm stop"
    case "kill", "terminate": "qvm stop --force"
    case "rmi", "clean", "purge", "gc", "cleanup": "qvm prune"
    case "resume", "unpause": "qvm start"
    case "inspect", "info", "show", "dominfo", "domstate", "top", "stats": "qvm status"
    case "instances", "vms", "global-status": "qvm list"
    case "download", "fetch", "install": "qvm pull"
    case "upgrade", "update", "refresh": "qvm pull --refresh <OS> <VERSION>"
    case "search", "releases", "find": "qvm images --available"
    case "view", "viewer", "screen", "serial": "qvm console"
    case "check": "qvm doctor"
    case "copy", "scp", "push", "transfer", "copy-in", "copy-out": "qvm cp"
    default: nil
    }
  }

  /// What to do in place of a command that qvm has no counterpart of: one or two sentences. Nil for a
  /// word that is no such command.
  static func sentence(for command: String) -> String? {
    switch command {
    case "pause", "suspend", "hibernate", "freeze", "save", "managedsave":
      "qvm does not pause guests. 'qvm stop NAME' shuts one down; 'qvm start NAME' boots it again."
    case "snapshot", "snapshots", "checkpoint", "commit", "revert", "restore", "undo":
      "qvm makes no snapshots. 'qvm run --rm OS VERSION' creates an instance that is removed after use."
    case "rsync", "sync", "sftp":
      "'qvm cp' copies files and folders. 'rsync -a -e 'qvm ssh' src/ NAME:src/' copies what changed."
    case "mount", "umount", "share", "volume": folders
    case "ports", "publish", "forward", "tunnel", "expose":
      "'qvm port NAME add HOST:GUEST' forwards a port of this machine to the guest; 'qvm port NAME' lists them."
    case "ip", "address", "domifaddr",
      "network", "networks", "net":
      "'qvm status NAME' shows the address and the port of the guest's ssh server."
    case "rename", "mv", "move", "clone", "duplicate":
      "qvm does not rename or copy instances. 'qvm run --name NAME OS VERSION' creates another one."
    case "edit", "set", "get", "modify", "resize", "configure":
      "An instance keeps the options that it was created with. 'qvm run --name NAME' with other options"
        + " boots it once with those."
    case "export", "import", "build", "package", "box":
      "qvm boots the images of its own releases only. 'qvm images --available' lists them."
    case "autostart", "enable", "disable":
      "qvm boots nothing by itself. A service manager can run 'qvm run' or 'qvm start NAME'."
    case "provision":
      "'qvm exec NAME COMMAND' runs a command in the guest, and 'sh -s <FILE' as COMMAND a script."
    case "container", "vm", "instance", "machine", "domain", "system":
      "Leave out '\(command)': 'qvm list' shows all instances."
    default: nil
    }
  }

  /// What to do in place of an option that a command does not have: one or two sentences.
  ///
  /// - Parameters:
  ///   - option: As typed, without a value: `--volume`, `-v`.
  ///   - command: The command's name.
  /// - Returns: Nil for an option that nothing is known about.
  static func sentence(for option: String, of command: String) -> String? {
    switch command {
    case "run", "start":
      if command == "start", RunCommand.rows.contains(where: { $0.spellings.contains(option) }) {
        return option == "--rm"
          ? "'qvm rm NAME' removes a stopped instance."
          : "'qvm start' boots an instance with its own options. 'qvm run --name NAME \(option) …"
            + " OS VERSION' boots it once with others."
      }
      return sentence(forBoot: option)
    case "matrix":
      switch option {
      case "--platform", "--arch":
        return "It belongs behind its target: 'freebsd:14.2/arm64'."
      case "--rm": return "Leave it out: each instance is removed after its shutdown."
      case "-d", "--detach": return "Leave it out: the VMs end when COMMAND has ended."
      case "-p", "--ssh-port": return "Leave it out: each guest gets a free port."
      case "--parallel": return "--jobs (-j) chooses how many guests run at the same time."
      default: return sentence(forBoot: option)
      }
    case "ssh": return sentence(forSSH: option)
    case "exec":
      switch option {
      case "-d", "--detach":
        return
          "Leave it out: 'qvm exec' waits for COMMAND. COMMAND can put itself into the background."
      case "--privileged":
        return "Leave it out: 'qvm status NAME' tells how to become root in the guest."
      default: return nil
      }
    case "rm":
      return ["-r", "-R", "-rf", "-fr", "--recursive", "--volumes", "-v"].contains(option)
        ? "'qvm rm NAME' always removes the disk, too. --force (-f) stops a running instance first."
        : nil
    case "prune":
      switch option {
      case "-f", "--force", "-af", "-fa": return "'--yes' (-y) removes without a question."
      case "-a", "--all", "--images":
        return "Leave it out: 'qvm prune' removes every base image that no instance needs."
      default: return nil
      }
    case "images":
      return ["-a", "--all"].contains(option)
        ? "Leave it out: 'qvm images' lists every image in the cache; --available lists the releases'."
        : nil
    case "list", "status":
      return ["--format", "-o", "--output", "--filter", "--running"].contains(option)
        ? "'qvm \(command) --json' prints everything, for programs to choose from." : nil
    default: return nil
    }
  }

  private static let folders =
    "qvm shares no folders. 'qvm cp FOLDER NAME:' copies one into the guest, and 'qvm run -v FOLDER:rw' before"
    + " a command and back after it."

  /// For the commands that boot a VM.
  private static func sentence(forBoot option: String) -> String? {
    switch option {
    case "-P", "--publish-all", "--expose", "--forward", "--port", "--hostfwd":
      "--publish HOST:GUEST (-p) forwards a port of this machine to the guest, such as -p 8080:80."
    case "-v", "--volume", "--mount", "--share", "--virtfs", "--shared-folder": folders
    case "--environment": "'--env NAME=VALUE' sets a variable for COMMAND."
    case "-i", "-it", "-ti", "--interactive":
      "Leave out -i and -t: the guest's console is on this terminal, unless --detach is given."
    case "--disk-size", "--size", "--storage-opt":
      "--disk SIZE, such as 30G, makes the disk of a new instance larger."
    case "--drive", "-drive", "-hda", "-hdb", "--cdrom",
      "-cdrom", "--iso", "--image":
      "qvm has no option for further disks. --qemu-arg passes QEMU's own options, such as -drive."
    case "--net", "--network", "--bridge", "--ip", "--mac", "-netdev", "-net", "-nic":
      "qvm has no option for networks. --qemu-arg passes QEMU's own options, such as -netdev."
    case "--display", "--vnc", "--gui", "--graphics", "--spice", "-nographic", "-display", "-vnc":
      "qvm shows the guest's text console. --qemu-arg passes QEMU's own options, such as -display."
    case "--restart", "--autostart":
      "qvm boots nothing again by itself. 'qvm start -d NAME' boots a stopped instance."
    case "-u", "--user", "--hostname", "--entrypoint", "--cloud-init":
      "qvm does not change the guest's settings. Change them in the guest: 'qvm ssh NAME'."
    default: nil
    }
  }

  private static func sentence(forSSH option: String) -> String? {
    switch option {
    case "--port": "Leave it out: qvm knows the guest's port."
    case "-u": "-l USER logs in as another user of the guest."
    case "-i", "--identity":
      "qvm offers its own key, and those with the usual names in ~/.ssh. -o IdentityFile=FILE adds one."
    case "-L", "-R", "-D", "-N", "-J", "-A", "-X", "-Y", "-F", "-v":
      "Run ssh itself for that: 'qvm ssh-config NAME >FILE', and then 'ssh -F FILE NAME' with the option."
    case "-it", "-tt": "-t gives COMMAND a terminal."
    default: nil
    }
  }
}
