import type { CachedObject, ObjectFilter, Requirement, Selection } from './contract.ts';

const noValues: readonly string[] = [];

/** What `object` has under the property a requirement is about; one of it has to be among the requirement's values. */
export function valuesOf(object: CachedObject, requirement: Requirement): readonly string[] {
  switch (requirement.by) {
    case 'label':
      return Object.hasOwn(object.labels, requirement.name) ? [object.labels[requirement.name] ?? ''] : noValues;
    case 'field':
      return [object.field(requirement.name)];
    case 'owner':
      return object.owners;
  }
}

/** Names the property a requirement is about, the same for all requirements about it. */
export function propertyOf(requirement: Requirement): string {
  return requirement.by === 'owner' ? 'owner' : `${requirement.by} ${requirement.name}`;
}

/** Decides about objects of the right namespace; undefined when the selection picks them all. */
export function picksOf({ requirements = [], filter }: Selection): ObjectFilter | undefined {
  if (requirements.length === 0) return filter;
  return (object) => requirements.every((requirement) => meets(object, requirement)) && (filter === undefined || filter(object));
}

function meets(object: CachedObject, requirement: Requirement): boolean {
  const { values } = requirement;
  return valuesOf(object, requirement).some((value) => values.includes(value));
}

/** The values a selection demands of a field. */
export function requiredField({ requirements = [] }: Selection, name: string): readonly string[] | undefined {
  return requirements.find((requirement) => requirement.by === 'field' && requirement.name === name)?.values;
}
