import type { StorageChoice } from '@arc/composition/storage';

/** A storage as in a URL, without its password: for messages and for the commands they tell to run. */
export function storageName(choice: StorageChoice): string {
  switch (choice.kind) {
    case 'memory':
      return 'memory:';
    case 'sqlite':
      return `sqlite:${choice.file}`;
    case 'postgres':
    case 'etcd':
      return choice.url.replace(/^([a-z]+:\/\/[^:@/?#]*):[^@/?#]*@/, '$1@');
  }
}

/** Words as a shell reads them back. */
export function commandLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)).join(' ');
}
