/// A shell that qvm can complete commands for.
enum Shell: String, CaseIterable, ParameterValue {
  case bash, zsh, fish

  /// The script that the shell must read. It passes the words up to the cursor to `qvm __complete`, which
  /// answers from the commands' own tables. If that fails, the shell offers file names.
  var completionScript: String {
    switch self {
    case .bash:
      #"""
      _qvm() {
        local IFS=$'\n' answer
        answer=$(qvm __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) ||
          compopt -o default 2>/dev/null
        COMPREPLY=($(cut -f 1 <<<"$answer"))
        local typed=${COMP_LINE:0:COMP_POINT}
        typed=${typed##* }
        [[ $typed == *:* && $typed != *=* && $COMP_WORDBREAKS == *:* ]] &&
          COMPREPLY=("${COMPREPLY[@]#"${typed%:*}:"}")
      }
      complete -F _qvm qvm

      """#
    case .zsh:
      #"""
      #compdef qvm
      _qvm() {
        local answer
        answer=$(qvm __complete "${(@)words[2,CURRENT]}" 2>/dev/null) || { _files; return }
        local -a lines=("${(@f)${${answer//:/\\:}//$'\t'/:}}")
        [[ -n $answer ]] && _describe qvm lines
      }
      compdef _qvm qvm

      """#
    case .fish:
      #"""
      function __qvm_complete
        set -l words (commandline -opc) (commandline -ct)
        qvm __complete $words[2..] 2>/dev/null; or __fish_complete_path (commandline -ct)
      end
      complete -c qvm -f -a '(__qvm_complete)'

      """#
    }
  }
}
