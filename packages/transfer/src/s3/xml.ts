import { TransferError } from '../transfer-error.ts';

/** An element of an answer: its elements, and its text with references resolved. Attributes are left out. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

const depthLimit = 16;
const elementLimit = 100_000;
const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Comment, CDATA, processing instruction, anything else that begins with `<!`, tag, text. */
const token =
  /<!--(?:(?!--)[^])*-->|<!\[CDATA\[((?:(?!\]\]>)[^])*)\]\]>|<\?[^>]*\?>|(<!)|<(\/?)([A-Za-z_][\w.:-]*)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/gy;

interface OpenElement {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

/**
 * Reads the XML that S3 answers with. There are no document types in it, so entities of its own are refused before they can
 * expand; depth and number of elements are bounded, the size has to be by whoever reads the body.
 *
 * @throws TransferError `UnexpectedAnswer`
 */
export function parseXml(text: string, what: string): XmlElement {
  const top: OpenElement = { name: '', children: [], text: '' };
  const open: OpenElement[] = [top];
  let count = 0;
  token.lastIndex = text.startsWith('\uFEFF') ? 1 : 0;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (match === null) throw invalid(what, 'it is not well-formed');
    const [, cdata, declaration, closing, name, , selfClosing, characters] = match;
    const current = open.at(-1) ?? top;
    if (declaration !== undefined) throw invalid(what, 'it declares a document type');
    if (cdata !== undefined) current.text += cdata;
    else if (characters !== undefined) current.text += resolved(characters, what);
    else if (name !== undefined && closing === '/') {
      if (open.length === 1 || current.name !== localName(name)) throw invalid(what, 'its elements do not close');
      open.pop();
    } else if (name !== undefined) {
      count += 1;
      if (count > elementLimit || open.length > depthLimit) throw invalid(what, 'it has too many elements, or too many within each other');
      const element: OpenElement = { name: localName(name), children: [], text: '' };
      current.children.push(element);
      if (selfClosing !== '/') open.push(element);
    }
  }
  const [root, ...others] = top.children;
  if (open.length !== 1 || root === undefined || others.length > 0 || top.text.trim() !== '') throw invalid(what, 'it is not one element');
  return root;
}

/** The text of the first child of that name; empty when there is none. */
export function childText(element: XmlElement, name: string): string {
  return element.children.find((child) => child.name === name)?.text ?? '';
}

function resolved(text: string, what: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&\s]{0,32};?)/g, (_, reference: string) => {
    const code = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}));$/i.exec(reference);
    const value = code === null ? Number.NaN : Number.parseInt(code[1] ?? code[2] ?? '', code[1] === undefined ? 10 : 16);
    if (value > 0 && value <= 0x10ffff) return String.fromCodePoint(value);
    const character = reference.endsWith(';') && Object.hasOwn(named, reference.slice(0, -1)) ? named[reference.slice(0, -1)] : undefined;
    if (character === undefined) throw invalid(what, 'it refers to an entity of its own');
    return character;
  });
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function invalid(what: string, problem: string): TransferError {
  return new TransferError('UnexpectedAnswer', `the answer to "${what}" is no XML that is read here: ${problem}`, {
    hint: 'Check that remoteURL of the endpoint is the address of an S3 service, and not of a web page or console in front of it.',
  });
}
