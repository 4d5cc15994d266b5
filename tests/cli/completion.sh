#!/bin/sh
# Completion in the real shells, as far as they are installed (bash always), and the manual pages under the linters.
# completion.sh BUILD SOURCE
set -eu
build=$1 source=$2
work=$build/test-files/completion
rm -rf "$work"
mkdir -p "$work"
PATH=$build:$PATH
export PATH
failed=0
# usage: expect SHELL WHAT LINES_THAT_MUST_BE_THERE...
expect() {
    shell=$1 what=$2
    shift 2
    for line in "$@"; do
        grep -qxF -e "$line" "$work/answer" ||
            { echo "$shell, $what: \"$line\" is not offered, but: $(tr '\n' ' ' <"$work/answer")"; failed=1; }
    done
}
: >"$work/photo one.jpg"

# ---- bash: the function is asked as readline asks it
cat >"$work/ask.bash" <<'END'
eval "$(mattebox completion bash)"
eval "$(mattebox-weights --completion bash)"
read -ra COMP_WORDS <<<"$1"
[[ $1 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$1 COMP_POINT=${#1}
_${COMP_WORDS[0]/-/_} "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" 2>/dev/null
printf '%s\n' "${COMPREPLY[@]}"
END
ask_bash() { bash --norc "$work/ask.bash" "$1" >"$work/answer"; }
ask_bash 'mattebox f' && expect bash commands frames
ask_bash 'mattebox --det' && expect bash "options of cut" --detail
ask_bash 'mattebox cut --detail ' && expect bash values none guided pymatting vitmatte
ask_bash 'mattebox cut -d vitmatte-' && expect bash "values of a letter" vitmatte-local vitmatte-base
ask_bash 'mattebox cut --detail = gu' && expect bash "values behind =" guided
ask_bash 'mattebox models ' && expect bash sub-commands list get rm path verify import export
ask_bash 'mattebox help f' && expect bash "commands of help" frames
ask_bash 'mattebox completion ' && expect bash shells bash zsh fish
ask_bash 'mattebox trimap --fo' && expect bash "options of trimap" --force
ask_bash 'mattebox version --det' && { grep -q detail "$work/answer" && { echo "bash: --detail is offered for version"; failed=1; }; }
ask_bash 'mattebox-weights ' && expect bash "commands of weights" convert inspect verify generate
ask_bash 'mattebox-weights convert --dt' && expect bash "options of convert" --dtype
ask_bash 'mattebox-weights convert a.pth --dtype ' && expect bash "values of convert" f32 f16 bf16
ask_bash 'mattebox-weights generate birefnet-t' && grep -q '^birefnet-t' "$work/answer" || { echo "bash: no architectures"; failed=1; }
ask_bash 'mattebox-weights inspect --dt' && { grep -q dtype "$work/answer" && { echo "bash: --dtype is offered for inspect"; failed=1; }; }

# ---- fish answers by itself; zsh needs a terminal, which zpty gives it
if command -v fish >/dev/null; then
    ask_fish() { HOME=$work fish --no-config -c "mattebox completion fish | source; mattebox-weights --completion fish | source; complete -C '$1'" | cut -f1 >"$work/answer"; }
    ask_fish 'mattebox f' && expect fish commands frames
    ask_fish 'mattebox --det' && expect fish "options of cut" --detail
    ask_fish 'mattebox cut --detail ' && expect fish values none guided pymatting vitmatte
    ask_fish 'mattebox models ' && expect fish sub-commands list get rm
    ask_fish 'mattebox-weights ' && expect fish "commands of weights" convert inspect verify generate
    ask_fish 'mattebox-weights convert --dtype ' && expect fish "values of convert" f32 f16 bf16
else
    echo "fish is not installed: not tried"
fi
if command -v zsh >/dev/null; then
    cat >"$work/ask.zsh" <<'END'
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -D -u; eval "$(mattebox completion zsh)"; eval "$(mattebox-weights --completion zsh)"; zstyle ":completion:*" list-prompt ""; LISTMAX=10000; LINES=400; COLUMNS=200; print REA""DY'
zpty -r -m z answer "*READY*"
zpty -w -n z "$1"$'\t\t'
sleep ${2:-1}
zpty -w -n z $'\C-u'$'print DO""NE\n'
zpty -r -m z answer "*DONE*"
print -r -- "$answer"
END
    ask_zsh() { timeout 20 zsh -f "$work/ask.zsh" "$1" 2>/dev/null | sed "s/$(printf '\033')\[[0-9;?]*[A-Za-z]/ /g" | tr -s ' \r' '\n' >"$work/answer"; }
    ask_zsh 'mattebox cut --detail ' && expect zsh values none guided pymatting vitmatte
    ask_zsh 'mattebox models ' && expect zsh sub-commands list get rm
    ask_zsh 'mattebox-weights convert --dtype ' && expect zsh "values of convert" f32 f16 bf16
    ask_zsh 'mattebox cut --wri' && grep -q -e '--write' "$work/answer" && { echo "zsh: --write-mask is offered for cut"; failed=1; }
    ask_zsh 'mattebox matte --write-' && expect zsh "options of matte" --write-mask --write-trimap
else
    echo "zsh is not installed: not tried"
fi

# ---- manual pages: every command and every option is there, and the linters are content
mattebox help -- --man >"$work/mattebox.1"
mattebox help -- --man cut >"$work/mattebox-cut.1"
mattebox-weights --man >"$work/mattebox-weights.1"
for option in $(grep -ohE '^\| `(-., )?--[a-z0-9-]+' "$source/docs/cli.md" | grep -oE -e '--[a-z0-9-]+' | sort -u); do
    grep -qF "\\-\\-$(echo "$option" | sed 's/^--//; s/-/\\-/g')\\fR" "$work/mattebox.1" ||
        { echo "mattebox.1 lacks $option"; failed=1; }
done
if command -v mandoc >/dev/null; then
    mandoc -T lint -W warning "$work"/*.1 | grep -v 'missing date' && { echo "mandoc warns"; failed=1; }
fi
if command -v man >/dev/null && man --version >/dev/null 2>&1; then
    for page in "$work"/*.1; do
        warned=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null || true)
        [ -z "$warned" ] || { echo "man warns: $warned"; failed=1; }
    done
fi
exit $failed
