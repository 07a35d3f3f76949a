import { isObject, setOwn } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { fieldType, shapeOf } from './apply-type.ts';
import type { ApplyType } from './apply-type.ts';
import { isEmptySet } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { fieldElement } from './path-element.ts';

/**
 * The value without the fields and list items of a set, and all that is below them. What is left empty stays, empty. The
 * input is left alone; the result shares parts with it.
 */
export function removePaths(value: unknown, paths: FieldSet, type: ApplyType): unknown {
  const shape = shapeOf(type, value);
  if (shape === 'leaf' || isEmptySet(paths)) return value;
  if (shape.kind === 'list') {
    return (value as readonly unknown[]).flatMap((item) => {
      const below = paths.children.get(shape.elementOf(item));
      if (below === undefined) return [item];
      return below.member ? [] : [removePaths(item, below, shape.items)];
    });
  }
  if (!isObject(value)) return value;
  const kept: JsonObject = {};
  for (const name of Object.keys(value)) {
    const below = paths.children.get(fieldElement(name));
    if (below === undefined) setOwn(kept, name, value[name]);
    else if (!below.member) setOwn(kept, name, removePaths(value[name], below, fieldType(shape, name)));
  }
  return kept;
}
