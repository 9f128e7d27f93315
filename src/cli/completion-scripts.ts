/**
 * Scripts that ask `millrace __complete` for what may come next; it answers one candidate per line, a tab, and what it
 * means. What can be completed is thus known in one place. No answer means file names.
 */
export const completionScripts = {
  bash: `_millrace() {
  local IFS=$'\\n' current="\${COMP_WORDS[COMP_CWORD]}"
  local candidates
  candidates=$("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1)
  if [ -z "$candidates" ]; then
    COMPREPLY=($(compgen -f -- "$current"))
    return
  fi
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}
complete -F _millrace millrace
`,
  zsh: `#compdef millrace
_millrace() {
  local -a candidates
  local line
  for line in "\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n "$line" ]] && candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#candidates} )); then
    _describe millrace candidates
  else
    _files
  fi
}
compdef _millrace millrace
`,
  fish: `function __millrace_complete
  set -l words (commandline -opc) (commandline -ct)
  $words[1] __complete -- $words[2..-1] 2>/dev/null
end
function __millrace_has_candidates
  test -n "$(__millrace_complete)"
end
complete -c millrace -f -n __millrace_has_candidates -a '(__millrace_complete)'
`,
} as const;
