/** What a list of imports does not show: globals used where they must be handed in, overlong files, tests switched off. */
import ts from 'typescript';

interface Finding {
  readonly rule: string;
  readonly where: string;
}

const MAX_LINES = 400;
/** Timers, clocks, chance and the process; `globalThis` would be the way round them. */
const FORBIDDEN_GLOBALS = new Set([
  ...['setTimeout', 'setInterval', 'setImmediate', 'Date', 'performance', 'process', 'globalThis', 'global'],
]);
const SWITCHED_OFF = new Set(['skip', 'only', 'todo', 'skipIf', 'runIf', 'fails']);
const SWITCHED_OFF_NAMES = new Set(['xit', 'xtest', 'xdescribe', 'fit', 'fdescribe']);

/** Uses of clocks, timers, `Math.random` and `process` in a file that must get them as arguments. */
export function forbiddenGlobals(path: string, text: string): Finding[] {
  return walk(path, text, (node) => {
    // Math may only be used member by member, so that nothing gets at `random` unseen.
    if (ts.isIdentifier(node) && node.text === 'Math' && !isMemberName(node)) {
      const member = ts.isPropertyAccessExpression(node.parent) ? node.parent.name.text : 'random';
      if (member === 'random') return { rule: 'no-ambient', what: node.parent.getText() };
    }
    if (ts.isIdentifier(node) && FORBIDDEN_GLOBALS.has(node.text) && !isMemberName(node)) {
      return { rule: 'no-ambient', what: node.text };
    }
    return undefined;
  });
}

/** Ways to load a native addon, which one file alone may do: imports with a computed path escape the rules on imports. */
export function addonLoading(path: string, text: string): Finding[] {
  return walk(path, text, (node) => {
    const loads =
      (ts.isIdentifier(node) && (node.text === 'createRequire' || node.text === 'dlopen')) ||
      (ts.isStringLiteralLike(node) && node.text.endsWith('.node'));
    return loads ? { rule: 'single-addon-file', what: node.getText() } : undefined;
  });
}

/** Tests that do not run, or that keep others from running. */
export function skippedTests(path: string, text: string): Finding[] {
  return walk(path, text, (node) => {
    const called = ts.isCallExpression(node) ? node.expression : undefined;
    if (called && ts.isPropertyAccessExpression(called) && SWITCHED_OFF.has(called.name.text)) {
      return { rule: 'no-skip', what: called.getText() };
    }
    // describe.skip.each(...)(...) and the like: the switch is in the middle.
    if (ts.isPropertyAccessExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      if (SWITCHED_OFF.has(node.expression.name.text)) return { rule: 'no-skip', what: node.getText() };
    }
    if (called && ts.isIdentifier(called) && SWITCHED_OFF_NAMES.has(called.text)) {
      return { rule: 'no-skip', what: called.text };
    }
    if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) && SWITCHED_OFF.has(node.name.text)) {
      if (node.initializer.kind === ts.SyntaxKind.TrueKeyword) return { rule: 'no-skip', what: node.getText() };
    }
    return undefined;
  });
}

/** A file that is too long to be read in one go. */
export function overlongFile(path: string, text: string): Finding[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return lines > MAX_LINES ? [{ rule: 'file-length', where: `${path}: ${lines} lines, ${MAX_LINES} at most` }] : [];
}

/** Whether an identifier only names a member, so that `line.process` or `{ process: 1 }` is no use of the global. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) || ts.isQualifiedName(parent)) {
    return (ts.isPropertyAccessExpression(parent) ? parent.name : parent.right) === node;
  }
  const named =
    ts.isPropertyAssignment(parent) ||
    ts.isPropertySignature(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isMethodDeclaration(parent) ||
    ts.isMethodSignature(parent);
  return named && parent.name === node;
}

function walk(
  path: string,
  text: string,
  judge: (node: ts.Node) => { readonly rule: string; readonly what: string } | undefined,
): Finding[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const findings: Finding[] = [];
  const visit = (node: ts.Node): void => {
    const finding = judge(node);
    if (finding) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      findings.push({ rule: finding.rule, where: `${path}:${line + 1}: ${finding.what}` });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return findings;
}
