/**
 * A test for names after a pattern in which `*` stands for any characters and `?` for one. Takes time proportional to
 * both lengths at worst, whatever the pattern.
 */
export function globMatcher(pattern: string): (name: string) => boolean {
  return (name) => {
    let at = 0;
    let from = 0;
    let star = -1;
    let resume = 0;
    while (from < name.length) {
      const wanted = pattern[at];
      if (wanted === '*') {
        star = at;
        resume = from;
        at += 1;
      } else if (wanted === '?' || wanted === name[from]) {
        at += 1;
        from += 1;
      } else if (star !== -1) {
        resume += 1;
        from = resume;
        at = star + 1;
      } else return false;
    }
    while (pattern[at] === '*') at += 1;
    return at === pattern.length;
  };
}
