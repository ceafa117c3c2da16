// Converts values to JSON text with JSON.stringify, so that a result has the text that Bull would store.

/** Deepest nesting that Gaur accepts (docs/reference/runner-protocol.md); a frame is one level around the value. */
const MOST_DEPTH = 64;

/** The value cannot be sent. */
export class NotJsonError extends Error {
  override readonly name = 'NotJsonError';
  constructor(
    readonly code: 'not_json' | 'too_large',
    message: string,
  ) {
    super(message);
  }
}

/** How deep lists and objects nest in JSON text. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < json.length; i += 1) {
    const c = json.charCodeAt(i);
    if (quoted) {
      if (c === 0x5c) i += 1; // a backslash: the next character is not the end
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x5b || c === 0x7b) deepest = Math.max(deepest, (depth += 1));
    else if (c === 0x5d || c === 0x7d) depth -= 1;
  }
  return deepest;
}

/**
 * JSON.stringify(value), where undefined (and a function) is null. Half of a surrogate pair stays
 * the escape that JSON.stringify writes. `what` begins the message of an error.
 */
export function toJson(value: unknown, what: string): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    throw new NotJsonError('not_json', `${what} cannot be turned into JSON: ${(error as Error).message}`);
  }
  if (json === undefined) return 'null';
  if (json.length > 2 * MOST_DEPTH && depthOf(json) > MOST_DEPTH) {
    throw new NotJsonError('not_json', `${what} is nested deeper than ${MOST_DEPTH} levels`);
  }
  return json;
}
