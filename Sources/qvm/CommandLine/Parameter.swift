/// One row of a command's table: how a value is spelled, what it means and where it is stored.
///
/// A closure stores it, such as `{ $0.name = $1 }`. Key paths would be shorter, but the runtime creates
/// all key paths of a table first, which was an eighth of the instructions that `run` executed.
struct Parameter<Owner>: Sendable {
  /// Stores a value in a property of the command, or appends it to one.
  typealias Keep<Value> = @Sendable (_ owner: inout Owner, _ value: Value) -> Void

  let row: ParameterRow
  /// Reads one word: an argument, an option's value, or the flag itself.
  let store: @Sendable (inout Owner, String) throws(UsageError) -> Void

  private init<Value: ParameterValue>(_ row: ParameterRow, keeping keep: @escaping Keep<Value>) {
    self.row = row
    store = { (owner, word) throws(UsageError) in keep(&owner, try row.value(word)) }
  }
}

extension Parameter {
  /// An argument, which is required unless `orNone`.
  static func argument<Value: ParameterValue>(
    _ placeholder: String, orNone: Bool = false, _ help: String,
    completing candidates: CompletionSource = Value.candidates, keep: @escaping Keep<Value>
  ) -> Self {
    let kind = ParameterRow.Kind.argument(orNone ? .optional : .one)
    return Self(ParameterRow(kind, placeholder: placeholder, help, candidates), keeping: keep)
  }

  /// All arguments from here on: at least one, unless `orNone`.
  static func arguments<Value: ParameterValue>(
    _ placeholder: String, orNone: Bool = false, _ help: String,
    completing candidates: CompletionSource = Value.candidates, keep: @escaping Keep<Value>
  ) -> Self {
    let kind = ParameterRow.Kind.argument(orNone ? .any : .oneOrMore)
    return Self(ParameterRow(kind, placeholder: placeholder, help, candidates), keeping: keep)
  }

  /// An option. If it is given several times, `keep` gets each value in turn.
  static func option<Value: ParameterValue>(
    _ name: String, short: String? = nil, _ placeholder: String, _ help: String,
    completing candidates: CompletionSource = Value.candidates, keep: @escaping Keep<Value>
  ) -> Self {
    Self(
      ParameterRow(.option, name, short: short, placeholder: placeholder, help, candidates),
      keeping: keep)
  }

  /// An option whose value is a whole number, and `none` if it is given without a value.
  static func numberOption(
    _ name: String, orNone none: Int, _ placeholder: String, _ help: String,
    keep: @escaping Keep<Int>
  ) -> Self {
    Self(
      ParameterRow(.option, name, placeholder: placeholder, help, valueIfNone: String(none)),
      keeping: keep)
  }

  /// An option without a value.
  static func flag(
    _ name: String, short: String? = nil, _ help: String,
    keep: @escaping @Sendable (_ owner: inout Owner) -> Void
  ) -> Self {
    Self(ParameterRow(.flag, name, short: short, help)) { (owner, _: String) in keep(&owner) }
  }

  /// An option or a flag of another command, whose words are kept as they are: its spelling and its value.
  static func passed(_ row: ParameterRow, keep: @escaping Keep<[String]>) -> Self {
    Self(row) { (owner, word: String) in
      let spelling = row.spellings.first ?? ""
      keep(&owner, row.kind == .flag ? [spelling] : [spelling, word])
    }
  }

  /// The arguments after `--`, such as a command for the guest, unchanged.
  static func trailing(
    _ placeholder: String, _ help: String, keep: @escaping Keep<String>
  ) -> Self {
    Self(ParameterRow(.trailing, placeholder: placeholder, help), keeping: keep)
  }

  /// The words from the first one after the arguments on, unchanged. A `--` may stand before them, and
  /// also before the arguments.
  static func rest(
    _ placeholder: String, _ help: String, keep: @escaping Keep<String>
  ) -> Self {
    Self(ParameterRow(.rest, placeholder: placeholder, help), keeping: keep)
  }
}
