/// Finds what a misspelled word was meant to be.
enum Spelling {
  /// The known word nearest to `word`: one that begins with it, or else one that differs in at most a
  /// third of its letters. Nil if there is none.
  static func closest(to word: String, in known: [String]) -> String? {
    let typed = Array(word.utf8)
    let letters = typed.drop { $0 == UInt8(ascii: "-") }
    guard !letters.isEmpty else { return nil }
    if let longer = known.first(where: { $0.utf8.starts(with: typed) }) { return longer }

    let allowed = typed.count / 3
    var best: (word: String, distance: Int)?
    for candidate in known where abs(candidate.utf8.count - typed.count) <= allowed {
      let distance = distance(from: typed, to: Array(candidate.utf8))
      if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.word
  }

  /// The option of `known` that `word` was meant to be: the counterpart of another program's option, or
  /// else the one with the nearest spelling.
  static func option(meantBy word: String, in known: [String]) -> String? {
    let meant: String? =
      switch word {
      case "--arch", "--architecture": "--platform"
      case "--delete", "--remove": "--rm"
      case "--background", "--daemon", "--daemonize", "--headless": "--detach"
      case "-n": "--name"
      case "-c": "--cpus"
      case "-f": "--force"
      case "-t": "--timeout"
      case "--mem", "--ram", "-m": "--memory"
      case "--smp", "--cores", "--vcpus": "--cpus"
      case "--port": "--ssh-port"
      case "--key", "--keys", "--identity", "--pubkey", "--public-key", "--ssh-inject": "--ssh-key"
      case "--remote", "--online": "--available"
      case "--silent": "--quiet"
      default: nil
      }
    if let meant, known.contains(meant) { return meant }
    return closest(to: word, in: known)
  }

  /// The number of letters to insert, remove, replace or swap with a neighbour.
  static func distance(from a: [UInt8], to b: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          cost = min(cost, beforeLast[j - 1] + 1)
        }
        row.append(cost)
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}
