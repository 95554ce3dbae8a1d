import { domainToASCII, domainToUnicode } from 'node:url';
import { z } from 'zod';

/* One mailbox has one spelling here: RFC 5321 and 6531 for what is before the @, IDNA (UTS #46) for what is behind it. */

const MAX_EMAIL_OCTETS = 254; // RFC 5321 §4.5.3.1.3, less the angle brackets
const MAX_LOCAL_OCTETS = 64; // RFC 5321 §4.5.3.1.1

/** A dot-atom (RFC 5322 §3.2.3) with letters and digits of any script (RFC 6531). No controls, no blanks, no quotes. */
const LOCAL = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
/** The form of an encoded word (RFC 2047), which a mail program would decode to another address. */
const ENCODED_WORD = /=\?.*\?=/;
/**
 * Letters and digits of any script, the dots and hyphens of domains, and what IDNA permits between certain letters (RFC 5892
 * appendix A). `domainToASCII` parses the host of a URL: it would decode "%65", drop a line break, and end at a "/".
 */
const DOMAIN = /^[\p{L}\p{M}\p{N}.。．｡\-\u00b7\u0375\u05f3\u05f4\u30fb\u200c\u200d]+$/u;
/** Two labels or more (RFC 1035 §2.3.1, RFC 1123 §2.1). The last is no number, which would make an IP address. */
const HOST_NAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/;
/** A label whose punycode decodes to nothing that IDNA permits. */
const UNDECODED = /(?:^|\.)xn--/;

const NOT_AN_EMAIL = 'Must be an email address';
const LOOKS_LIKE_ANOTHER =
  'Must have ordinary letters before the @: none that are invisible, and no ligatures, fullwidth or similar forms';

/** What an earlier version accepted, and stored in NFC and lower case. The directory may still have such addresses. */
const FORMER =
  /^[\p{L}\p{M}\p{N}.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?\.)+[\p{L}\p{M}\p{N}-]{2,63}$/u;

/** The spellings under which the directory may have an address: first that of today, which is counted too, then earlier ones. */
export type Spellings = readonly [string, ...string[]];

const typed = z
  .string()
  .max(MAX_EMAIL_OCTETS, `Must have ${MAX_EMAIL_OCTETS} characters at most`)
  .meta({ format: 'idn-email', examples: ['ada@example.com'] });

/** An address to look up. It is never stored. */
export const KnownEmail = typed.transform((text, context): Spellings => {
  const [first, ...others] = spellingsOf(text);
  if (first !== undefined) return [first, ...others];
  context.addIssue(NOT_AN_EMAIL);
  return z.NEVER;
});

/** An address for a new account. The first spelling is the one to store; somebody may have another one already. */
export const NewEmail = typed.transform((text, context): Spellings => {
  const canonical = canonicalSpelling(text);
  const objection = canonical === undefined ? NOT_AN_EMAIL : objectionTo(canonical);
  if (canonical === undefined || objection) {
    context.addIssue(objection ?? NOT_AN_EMAIL);
    return z.NEVER;
  }
  return [canonical, ...spellingsOf(text).slice(1)];
});

/** An address for a new account, in the spelling that is stored. */
export const Email = NewEmail.transform(([canonical]) => canonical);

/** Every spelling under which the directory may have an address, the canonical one first; empty for what is no address. */
export function spellingsOf(text: string): string[] {
  const mailbox = readMailbox(text);
  const canonical = mailbox && spellingOf(mailbox);
  const found = mailbox && canonical ? [canonical, `${mailbox.local}@${mailbox.ascii}`] : [];
  const former = lowerCase(text);
  // IDNA lowers some capitals to other letters than JavaScript does. Such a row is another mailbox, with a count of its own.
  const isSameMailbox = former === canonical || canonicalSpelling(former) === canonical;
  if (isSameMailbox && former.length <= MAX_EMAIL_OCTETS && FORMER.test(former)) found.push(former);
  return [...new Set(found)];
}

/** The spelling that all ways to write an address have in common; undefined when no mail goes there. */
export function canonicalSpelling(text: string): string | undefined {
  const mailbox = readMailbox(text);
  return mailbox && spellingOf(mailbox);
}

/** A text that addresses have in common when they are one mailbox, or look alike. */
export function appearanceOf(email: string): string {
  const spelling = canonicalSpelling(email) ?? email;
  const at = spelling.lastIndexOf('@');
  return plainText(spelling.slice(0, at)) + spelling.slice(at);
}

interface Mailbox {
  local: string;
  /** The domain in A-labels, as the DNS has it. */
  ascii: string;
  /** The domain in the letters of its script. */
  unicode: string;
}

function readMailbox(text: string): Mailbox | undefined {
  const at = text.lastIndexOf('@');
  const local = lowerCase(text.slice(0, Math.max(0, at)));
  const octets = Buffer.byteLength(local);
  if (octets > MAX_LOCAL_OCTETS || !LOCAL.test(local) || ENCODED_WORD.test(local)) return undefined;
  const domain = readDomain(text.slice(at + 1));
  if (!domain || octets + 1 + domain.ascii.length > MAX_EMAIL_OCTETS) return undefined;
  return { local, ...domain };
}

/** Takes an address apart. The domain keeps its capitals, since IDNA maps them by rules of its own. */
function readDomain(text: string): Pick<Mailbox, 'ascii' | 'unicode'> | undefined {
  if (!DOMAIN.test(text)) return undefined;
  const ascii = domainToASCII(text);
  if (!HOST_NAME.test(ascii)) return undefined;
  const unicode = domainToUnicode(ascii);
  const isDecoded = DOMAIN.test(unicode) && !UNDECODED.test(unicode) && domainToASCII(unicode) === ascii;
  return isDecoded ? { ascii, unicode } : undefined;
}

function spellingOf({ local, unicode }: Mailbox): string {
  return `${local}@${unicode}`;
}

/** Why no new account may have this address: a directory, or a person, could take it for another one. */
function objectionTo(canonical: string): string | undefined {
  const local = canonical.slice(0, canonical.lastIndexOf('@'));
  return plainText(local) === local ? undefined : LOOKS_LIKE_ANOTHER;
}

function plainText(local: string): string {
  return lowerCase(local.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '')).normalize(
    'NFKC',
  );
}

function lowerCase(text: string): string {
  return text.normalize('NFC').toLowerCase().normalize('NFC');
}
