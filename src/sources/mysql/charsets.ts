/**
 * Text of the server's character sets as JavaScript's, where a test on a server shows that both read the same bytes alike. Of any other
 * bytes nobody here says what text they are.
 */
import { isUtf8 } from 'node:buffer';

/** Names as the Encoding Standard has them. What the server leaves undefined in these the standard makes a control. */
const LABELS: Readonly<Record<string, string>> = {
  latin2: 'iso-8859-2',
  latin7: 'iso-8859-13',
  cp1250: 'windows-1250',
  cp1251: 'windows-1251',
  cp1257: 'windows-1257',
  koi8r: 'koi8-r',
  utf16: 'utf-16be',
  utf16le: 'utf-16le',
  ucs2: 'utf-16be',
};
/** What the server's latin1 has where ISO 8859-1 has controls, from 0x80 on: it is windows-1252, which not every Node decodes as such. */
const LATIN1_80_TO_9F = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';
const UTF8 = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'ascii']);

/** Gives null for bytes that are no text. */
export type DecodeText = (bytes: Buffer) => string | null;

/** Of a column without a character set the server prints ASCII. */
export function textDecoder(charset: string | undefined): DecodeText {
  if (charset === undefined || UTF8.has(charset)) return (bytes) => (isUtf8(bytes) ? bytes.toString('utf8') : null);
  if (charset === 'utf32') return decodeUtf32;
  if (charset === 'latin1') return decodeLatin1;
  const label = LABELS[charset];
  if (label === undefined) return () => null;
  const decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true });
  return charset?.startsWith('cp')
    ? (bytes) => withoutControls(tryDecode(decoder, bytes))
    : (bytes) => tryDecode(decoder, bytes);
}

function decodeLatin1(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[\x80-\x9f]/g, (char) => LATIN1_80_TO_9F[char.charCodeAt(0) - 0x80] as string);
}

function withoutControls(text: string | null): string | null {
  return text === null || /[\x80-\x9f]/.test(text) ? null : text;
}

/** Whether the text's bytes in the charset are those it has in UTF-8. */
export function isSameInUtf8(charset: string | undefined, text: string): boolean {
  if (charset?.startsWith('utf8')) return true;
  // eslint-disable-next-line no-control-regex -- ASCII begins with them
  return /^[\x00-\x7f]*$/.test(text) && !/^(utf16|utf16le|utf32|ucs2)$/.test(charset ?? '');
}

function tryDecode(decoder: InstanceType<typeof TextDecoder>, bytes: Buffer): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null; // because: what is no text is shown as the bytes that it is
  }
}

function decodeUtf32(bytes: Buffer): string | null {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const point = at + 4 <= bytes.length ? bytes.readUInt32BE(at) : Infinity;
    if (point > 0x10ffff) return null;
    text += String.fromCodePoint(point);
  }
  return text;
}
