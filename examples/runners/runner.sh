#!/bin/bash
# A Gaur runner in bash; needs jq. Frames come on descriptor 3, go out on 4; stdout is yours.
send() { jq -nc "$@" >&4; }

# Sleeps by waiting for the next frame, so that a cancel is heard at once.
sleep_job() {
  local end=$((${EPOCHREALTIME/./} + $(jq -r '.data.ms * 1000 | floor' <<<"$1"))) left line
  while left=$((end - ${EPOCHREALTIME/./})) && ((left > 0)); do
    if IFS= read -r -t "$(printf '%d.%06d' $((left / 1000000)) $((left % 1000000)))" -u 3 line; then
      case $(jq -r .type <<<"$line") in
        cancel) return 1 ;;
        stop) exit 0 ;;
      esac
    elif (($? <= 128)); then
      exit 0 # end of file, not the end of the wait
    fi
  done
}

send '{type: "ready", protocol: 1, name: "example in bash"}'
while IFS= read -r -u 3 frame; do
  type=$(jq -r .type <<<"$frame") || continue # no JSON: ignored
  [[ $type == stop ]] && exit 0
  [[ $type == run ]] || continue
  run=$(jq -r .run <<<"$frame")
  case $(jq -r .function <<<"$frame") in
    echo) jq -c '{type: "completed", run, result: .data}' <<<"$frame" >&4 ;;
    sleep)
      if sleep_job "$frame"; then
        send --arg run "$run" '{type: "completed", run: $run}'
      else
        send --arg run "$run" '{type: "failed", run: $run, message: "cancelled", code: "interrupted"}'
      fi ;;
    *) send --arg run "$run" '{type: "failed", run: $run, message: "no such function", final: true}' ;;
  esac
done
