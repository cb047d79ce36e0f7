/// One row of a command's table: how a value is spelled, what it means and where it is stored.
///
/// A closure says where, such as `{ $0.name = $1 }`: key paths would say it in fewer characters, but
/// the runtime would make all those of a table first, which was an eighth of what `run` executes.
struct Parameter<Owner>: Sendable {
  /// Puts a value where the command keeps it: into a property, or at the end of one that has several.
  typealias Keep<Value> = @Sendable (_ owner: inout Owner, _ value: Value) -> Void

  let row: ParameterRow
  /// Takes in one word: an argument, an option's value, or for a flag the flag itself.
  let store: @Sendable (inout Owner, String) throws(UsageError) -> Void

  private init<Value: ParameterValue>(_ row: ParameterRow, keeping keep: @escaping Keep<Value>) {
    self.row = row
    store = { (owner, word) throws(UsageError) in keep(&owner, try row.value(word)) }
  }
}

extension Parameter {
  /// An argument that has to be there, unless `orNone`.
  static func argument<Value: ParameterValue>(
    _ placeholder: String, orNone: Bool = false, _ help: String,
    completing candidates: CompletionSource = Value.candidates, keep: @escaping Keep<Value>
  ) -> Self {
    let kind = ParameterRow.Kind.argument(orNone ? .optional : .one)
    return Self(ParameterRow(kind, placeholder: placeholder, help, candidates), keeping: keep)
  }

  /// All the arguments from here on: at least one, unless `orNone`.
  static func arguments<Value: ParameterValue>(
    _ placeholder: String, orNone: Bool = false, _ help: String,
    completing candidates: CompletionSource = Value.candidates, keep: @escaping Keep<Value>
  ) -> Self {
    let kind = ParameterRow.Kind.argument(orNone ? .any : .oneOrMore)
    return Self(ParameterRow(kind, placeholder: placeholder, help, candidates), keeping: keep)
  }

  /// An option. Given several times, each value is kept in turn.
  static func option<Value: ParameterValue>(
    _ name: String, short: String? = nil, _ placeholder: String, _ help: String,
    completing candidates: CompletionSource = Value.candidates, keep: @escaping Keep<Value>
  ) -> Self {
    Self(
      ParameterRow(.option, name, short: short, placeholder: placeholder, help, candidates),
      keeping: keep)
  }

  /// An option whose value is a whole number, and another where it has none.
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

  /// The words after `--`, such as a command for the guest, as they are.
  static func trailing(
    _ placeholder: String, _ help: String, keep: @escaping Keep<String>
  ) -> Self {
    Self(ParameterRow(.trailing, placeholder: placeholder, help), keeping: keep)
  }
}
