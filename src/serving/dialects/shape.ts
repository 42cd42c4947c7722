/**
 * Types of a request's fields, for experts that translate: a server of the client's dialect would refuse a wrong one, and
 * so do we, instead of reading it as absent. Null is absent; fields that no shape names are not looked at.
 */
import type { Json } from './dialect.ts';
import { invalid, isObject } from './json.ts';

export interface Shape {
  /** Such as `a string`. */
  readonly what: string;
  is(value: unknown): boolean;
  /** Of what is inside a value that has the type. @throws RouterError `invalid_body` naming the field */
  inside(value: unknown, at: string): void;
}

/** @param at the field; empty for the body itself @throws RouterError `invalid_body` naming the innermost wrong field */
export function checkShape(shape: Shape, value: unknown, at = ''): void {
  if (value === undefined || value === null) return;
  if (!shape.is(value)) throw invalid(at, `must be ${shape.what}`);
  shape.inside(value, at);
}

function plain(what: string, is: (value: unknown) => boolean): Shape {
  return { what, is, inside: () => {} };
}

export const TEXT = plain('a string', (value) => typeof value === 'string');
export const NUMBER = plain('a number', (value) => typeof value === 'number');
export const FLAG = plain('a boolean', (value) => typeof value === 'boolean');
export const OBJECT = plain('an object', isObject);
export const LIST = plain('a list', Array.isArray);

export function fields(shapes: Readonly<Record<string, Shape>>): Shape {
  const named = Object.entries(shapes);
  return {
    ...OBJECT,
    inside: (value, at) => {
      for (const [name, shape] of named) {
        const field = (value as Json)[name];
        if (field != null) checkShape(shape, field, at === '' ? name : `${at}.${name}`);
      }
    },
  };
}

export function listOf(item: Shape): Shape {
  return {
    ...LIST,
    inside: (value, at) =>
      (value as readonly unknown[]).forEach((one, index) => {
        if (one === null) throw invalid(`${at}[${index}]`, `must be ${item.what}`);
        checkShape(item, one, `${at}[${index}]`);
      }),
  };
}

export function either(...shapes: readonly Shape[]): Shape {
  return {
    what: shapes.map(({ what }) => what).join(' or '),
    is: (value) => shapes.some((shape) => shape.is(value)),
    inside: (value, at) => shapes.find((shape) => shape.is(value))!.inside(value, at),
  };
}
