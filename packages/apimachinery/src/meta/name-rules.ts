import type { NameRule } from '../kind/kind.ts';

const dns1123Label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const dns1123Subdomain = String.raw`[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*`;
const qualifiedNamePart = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValue = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?';

const dns1123LabelPattern = whole(dns1123Label);
const dns1123SubdomainPattern = whole(dns1123Subdomain);
const qualifiedNamePartPattern = whole(qualifiedNamePart);
const labelValuePattern = whole(labelValue);

/** What is wrong with a name, in Kubernetes' words (wire contract 3.1); empty when nothing is. */
export function nameProblems(name: string, rule: NameRule): string[] {
  switch (rule) {
    case 'dns1123label':
      return dns1123LabelProblems(name);
    case 'dns1123subdomain':
      return dns1123SubdomainProblems(name);
    case 'path-segment':
      return pathSegmentProblems(name);
  }
}

/** As `nameProblems`, for a `generateName`: its last character may be a dash, since more will follow. */
export function generateNameProblems(prefix: string, rule: NameRule): string[] {
  if (rule === 'path-segment') return pathSegmentProblems(prefix).filter((problem) => !problem.startsWith('may not be'));
  return nameProblems(prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -1)}a` : prefix, rule);
}

/** What is wrong with a DNS-1123 label (namespaces); empty when nothing is. */
export function dns1123LabelProblems(text: string): string[] {
  const problems = lengthProblems(text, 63);
  if (!dns1123LabelPattern.test(text)) {
    problems.push(
      `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${dns1123Label}')`,
    );
  }
  return problems;
}

/** What is wrong with a DNS-1123 subdomain; empty when nothing is. */
export function dns1123SubdomainProblems(text: string): string[] {
  const problems = lengthProblems(text, 253);
  if (!dns1123SubdomainPattern.test(text)) {
    problems.push(
      `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${dns1123Subdomain}')`,
    );
  }
  return problems;
}

/** What is wrong with a key of labels, annotations or a finalizer; empty when nothing is. */
export function qualifiedNameProblems(text: string): string[] {
  const parts = text.split('/');
  const [prefix, name] = parts.length === 1 ? [undefined, parts[0] ?? ''] : [parts[0] ?? '', parts[1] ?? ''];
  if (parts.length > 2) {
    return [`a qualified name ${qualifiedNameForm()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const problems: string[] = [];
  if (prefix === '') problems.push('prefix part must be non-empty');
  else if (prefix !== undefined) problems.push(...dns1123SubdomainProblems(prefix).map((problem) => `prefix part ${problem}`));
  if (name === '') problems.push('name part must be non-empty');
  else problems.push(...lengthProblems(name, 63).map((problem) => `name part ${problem}`));
  if (!qualifiedNamePartPattern.test(name)) problems.push(`name part ${qualifiedNameForm()}`);
  return problems;
}

/** What is wrong with the value of a label; empty when nothing is. */
export function labelValueProblems(text: string): string[] {
  const problems = lengthProblems(text, 63);
  if (!labelValuePattern.test(text)) {
    problems.push(
      `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${labelValue}')`,
    );
  }
  return problems;
}

function pathSegmentProblems(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((character) => name.includes(character)).map((character) => `may not contain '${character}'`);
}

function qualifiedNameForm(): string {
  return `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualifiedNamePart}')`;
}

function lengthProblems(text: string, max: number): string[] {
  return text.length > max ? [`must be no more than ${max} bytes`] : [];
}

function whole(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}
