import { isUtf8 } from 'node:buffer';

/** Three times the longest line of a user. */
const MAX_LINE_BYTES = 16_384;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

export interface Line {
  /** Counted from 1. */
  number: number;
  /** Without its line break. */
  text: string;
  /** What is wrong with the bytes. Then `text` is empty. */
  refusal?: string;
}

/** The lines of a text in UTF-8. Memory is bounded, whatever the length of a line. */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  let number = 0;
  let begun: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      yield toLine(++number, continued(begun, chunk.subarray(start, end)));
      begun = Buffer.alloc(0);
      start = end + 1;
    }
    begun = continued(begun, chunk.subarray(start));
  }
  if (begun.length > 0) yield toLine(++number, begun);
}

/** The begun line with a further part. A line that is too long stops growing. */
function continued(begun: Buffer, part: Buffer): Buffer {
  return begun.length > MAX_LINE_BYTES ? begun : Buffer.concat([begun, part.subarray(0, MAX_LINE_BYTES + 1)]);
}

function toLine(number: number, bytes: Buffer): Line {
  if (bytes.length > MAX_LINE_BYTES)
    return { number, text: '', refusal: `is longer than ${MAX_LINE_BYTES} bytes` };
  if (!isUtf8(bytes)) return { number, text: '', refusal: 'is not UTF-8' };
  const hasMark = number === 1 && bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
  const start = hasMark ? BYTE_ORDER_MARK.length : 0;
  const end = bytes.at(-1) === CARRIAGE_RETURN ? -1 : undefined;
  return { number, text: bytes.subarray(start, end).toString() };
}
