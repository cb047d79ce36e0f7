import QVMControl

/// Says what goes on without qvm when Ctrl-C ends a command that only waits.
enum InterruptNote {
  /// From now on SIGINT writes a sentence, and then ends this process.
  ///
  /// - Parameter sentence: What goes on, and what the user can do.
  static func install(_ sentence: String) {
    Signal.handle([.interrupt]) { _ in
      Output.note("qvm: \(sentence)\n")
      Signal.dieIfInterrupted()
    }
  }

  /// How to see how instances are.
  static func look(_ names: [String]) -> String {
    names.count == 1
      ? "'qvm status \(names[0])' shows its state" : "'qvm list' shows their states"
  }
}
