import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childText, parseXml } from './xml.ts';

test('elements, references, namespaces, comments and CDATA are read', () => {
  const root = parseXml(
    '\uFEFF<?xml version="1.0" encoding="UTF-8"?>\n<!-- x --><s3:List xmlns="http://x/" a=\'b\'><Key>a&amp;b&#x26;&#38;&lt;</Key><Empty/><Key><![CDATA[<&>]]></Key></s3:List>\n',
    'list',
  );
  assert.deepEqual(
    [root.name, childText(root, 'Key'), childText(root, 'Empty'), root.children[2]?.text, childText(root, 'None')],
    ['List', 'a&b&&<', '', '<&>', ''],
  );
});

test('document types, entities, depth, numbers and nonsense are refused, fast', () => {
  const hostile = [
    '<!DOCTYPE a [<!ENTITY b "cc">]><a>&b;</a>',
    '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    '<a>&b;</a>',
    '<a>&amp</a>',
    '<a>&#0;</a>',
    '<a>&#x110000;</a>',
    '<a>&__proto__;</a>',
    `<a>${'<b>'.repeat(50)}${'</b>'.repeat(50)}</a>`,
    `<a>${'<b/>'.repeat(100_001)}</a>`,
    '<a><b></a></b>',
    '<a>',
    '</a>',
    '<a/><a/>',
    'text',
    '<a/>text',
    '',
    '<a',
    `<a ${'b="c" '.repeat(50_000)}`,
    `<!--${'-'.repeat(100_000)}`,
    `<${'a'.repeat(200_000)}`,
    '<html><body><br></body></html>',
    '<a b=c></a>',
  ];
  for (const text of hostile) assert.throws(() => parseXml(text, 'list'), { code: 'UnexpectedAnswer' }, text.slice(0, 60));
});
