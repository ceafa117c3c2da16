// Frames on descriptors 3 and 4 (docs/reference/runner-protocol.md): one JSON object per line.
import { createReadStream, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';

export const IN = 3;
export const OUT = 4;
/** Largest frame with its newline, in bytes. */
export const MOST_FRAME_BYTES = 8 * 1024 * 1024;

export interface Frame {
  type: string;
  [member: string]: unknown;
}

/** True if this process has the two descriptors of a runner. */
export function hasDescriptors(): boolean {
  try {
    fstatSync(IN);
    fstatSync(OUT);
    return true;
  } catch {
    return false;
  }
}

function input(): Readable {
  const kind = fstatSync(IN);
  // A socket waits in the event loop; a file stream would block one of libuv's four threads, which DuckDB needs.
  if (kind.isFIFO() || kind.isSocket()) return new Socket({ fd: IN, readable: true, writable: false });
  return createReadStream('', { fd: IN });
}

export interface FrameEvents {
  frame(frame: Frame): void;
  /** A line that is not a frame. */
  broken(what: string): void;
  /** End of file, or the pipe broke. */
  end(): void;
}

/** Splits the stream into lines and parses each; joins a long line once. */
export function readFrames(events: FrameEvents): void {
  let pieces: Buffer[] = [];
  let held = 0;
  const line = (last: Buffer): void => {
    const text = (pieces.length === 0 ? last : Buffer.concat([...pieces, last])).toString('utf8');
    pieces = [];
    held = 0;
    let frame: unknown;
    try {
      frame = JSON.parse(text);
    } catch (error) {
      return events.broken(`${(error as Error).message}: ${text.slice(0, 100)}`);
    }
    if (frame === null || typeof frame !== 'object' || Array.isArray(frame)) return events.broken(`no object: ${text.slice(0, 100)}`);
    events.frame(frame as Frame);
  };
  const stream = input();
  stream.on('data', (chunk: Buffer) => {
    let start = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, start)) {
      line(chunk.subarray(start, at));
      start = at + 1;
    }
    if (start === chunk.length) return;
    pieces.push(chunk.subarray(start));
    held += chunk.length - start;
    if (held > MOST_FRAME_BYTES) events.broken(`a line of more than ${MOST_FRAME_BYTES} bytes`);
  });
  stream.on('end', () => events.end());
  stream.on('error', () => events.end());
}

/** Writes frames in order. Check `isFull` before writing large amounts. */
export class FrameWriter {
  private readonly socket = new Socket({ fd: OUT, readable: false, writable: true });

  /** `lost`: the reader has closed the pipe. `drained`: `isFull` became false. */
  constructor(lost: () => void, drained: () => void) {
    this.socket.on('error', lost);
    this.socket.on('drain', drained);
  }

  /** The pipe and its buffer are full. */
  get isFull(): boolean {
    return this.socket.writableNeedDrain;
  }
  get waitingBytes(): number {
    return this.socket.writableLength;
  }

  /** Writes one line of JSON, without its newline. Calls `written` when it is in the pipe. */
  write(line: string, written?: () => void): void {
    this.socket.write(`${line}\n`, () => written?.());
  }
}
