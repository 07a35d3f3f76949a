import { fieldError, s } from '@arc/apimachinery';
import type { FieldError, Static } from '@arc/apimachinery';
import { optional } from './shared-schemas.ts';

export const contact = s.object({
  name: optional(s.string({ description: 'A person or a team.' })),
  email: optional(s.string({ description: 'Where to write to.' })),
  role: optional(s.string({ description: 'What they answer for: owner, configuration, ...' })),
});
type Contact = Static<typeof contact>;

/** Checks that a contact can be reached or at least named. */
export function contactErrors({ name = '', email = '' }: Contact, path: string): FieldError[] {
  if (name === '' && email === '') return [fieldError.required(`${path}.name`, 'a name or an email is needed')];
  if (email === '' || /^[^\s@<>]+@[^\s@<>]+$/.test(email)) return [];
  return [fieldError.invalid(`${path}.email`, email, 'must be an email address')];
}

/** As people write it: `Jane Doe <jane@example.com> (owner)`. */
export function contactText({ name = '', email = '', role = '' }: Contact): string {
  const who = name === '' ? email : email === '' ? name : `${name} <${email}>`;
  return role === '' ? who : `${who} (${role})`;
}
