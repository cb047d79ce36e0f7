/// One row of a command's table: how a value is spelled, what it means and where it is stored.
struct Parameter<Owner>: Sendable {
  /// A property of the command.
  typealias Property<Value> = any WritableKeyPath<Owner, Value> & Sendable

  let row: ParameterRow
  /// Takes in one word: an argument, an option's value, or for a flag the flag itself.
  let store: @Sendable (inout Owner, String) throws(UsageError) -> Void
}

extension Parameter {
  /// An argument that has to be there.
  static func argument<Value: ParameterValue>(
    _ placeholder: String, _ help: String, _ property: Property<Value>,
    completing candidates: Candidates = Value.candidates
  ) -> Self {
    let row = ParameterRow(.argument(.one), placeholder: placeholder, help, candidates)
    return Self(row: row) { (owner, word) throws(UsageError) in
      owner[keyPath: property] = try row.value(word)
    }
  }

  /// An argument that may be missing.
  static func argument<Value: ParameterValue>(
    _ placeholder: String, _ help: String, _ property: Property<Value?>,
    completing candidates: Candidates = Value.candidates
  ) -> Self {
    let row = ParameterRow(.argument(.optional), placeholder: placeholder, help, candidates)
    return Self(row: row) { (owner, word) throws(UsageError) in
      owner[keyPath: property] = try row.value(word) as Value
    }
  }

  /// All the arguments from here on: at least one, unless `orNone`.
  static func arguments<Value: ParameterValue>(
    _ placeholder: String, orNone: Bool = false, _ help: String, _ property: Property<[Value]>,
    completing candidates: Candidates = Value.candidates
  ) -> Self {
    let kind = ParameterRow.Kind.argument(orNone ? .any : .oneOrMore)
    let row = ParameterRow(kind, placeholder: placeholder, help, candidates)
    return Self(row: row) { (owner, word) throws(UsageError) in
      owner[keyPath: property].append(try row.value(word))
    }
  }

  /// An option whose property is nil where the option is not given.
  static func option<Value: ParameterValue>(
    _ name: String, short: String? = nil, _ placeholder: String, _ help: String,
    _ property: Property<Value?>, completing candidates: Candidates = Value.candidates
  ) -> Self {
    let row = ParameterRow(.option, name, short: short, placeholder: placeholder, help, candidates)
    return Self(row: row) { (owner, word) throws(UsageError) in
      owner[keyPath: property] = try row.value(word) as Value
    }
  }

  /// An option whose property keeps its default where the option is not given.
  static func option<Value: ParameterValue>(
    _ name: String, short: String? = nil, _ placeholder: String, _ help: String,
    _ property: Property<Value>, completing candidates: Candidates = Value.candidates
  ) -> Self {
    let row = ParameterRow(.option, name, short: short, placeholder: placeholder, help, candidates)
    return Self(row: row) { (owner, word) throws(UsageError) in
      owner[keyPath: property] = try row.value(word)
    }
  }

  /// An option that may be given several times; the values keep their order.
  static func option<Value: ParameterValue>(
    _ name: String, short: String? = nil, _ placeholder: String, _ help: String,
    _ property: Property<[Value]>, completing candidates: Candidates = Value.candidates
  ) -> Self {
    let row = ParameterRow(.option, name, short: short, placeholder: placeholder, help, candidates)
    return Self(row: row) { (owner, word) throws(UsageError) in
      owner[keyPath: property].append(try row.value(word))
    }
  }

  /// An option without a value, which sets its property to true.
  static func flag(
    _ name: String, short: String? = nil, _ help: String, _ property: Property<Bool>
  ) -> Self {
    Self(row: ParameterRow(.flag, name, short: short, help)) { owner, _ in
      owner[keyPath: property] = true
    }
  }

  /// The words after `--`, such as a command for the guest, as they are.
  static func trailing(
    _ placeholder: String, _ help: String, _ property: Property<[String]>
  ) -> Self {
    Self(row: ParameterRow(.trailing, placeholder: placeholder, help)) { owner, word in
      owner[keyPath: property].append(word)
    }
  }
}
