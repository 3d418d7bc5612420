interface ReadLimits {
  readonly maxBytes: number;
  readonly tooLarge: () => Error;
  /** Called with each chunk at the end, also after an error. */
  readonly release?: (chunk: Uint8Array) => void;
}

/** Reads all chunks of a stream. Throws `tooLarge()` as soon as they exceed `maxBytes`. */
export async function readBytes(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { maxBytes, tooLarge, release }: ReadLimits,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of source) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size > maxBytes) throw tooLarge();
    }
    return Buffer.concat(chunks, size);
  } finally {
    if (release) for (const chunk of chunks) release(chunk);
  }
}
