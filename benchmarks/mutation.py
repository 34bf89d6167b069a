"""How many small faults in the code the tests find: mutation testing with cosmic-ray.

    python -m benchmarks.mutation [--commit=HEAD] [PART_OF_A_MODULE'S_PATH ...]

`mutants.json` holds a fixed sample of mutants, module by module, and the test files that could
notice them, cheapest first. Each mutant is made in a copy of a commit, never in the checkout, and
is killed if one of the tests fails or the time is up. A mutant is known by its operator, its line
and what that line becomes, so that the sample outlives other changes to the module: when a module
or a test file is moved, its path in `mutants.json` is edited.

The sample leaves out what no test can or needs to notice (`_Meaning`), and of the replacements of
an operator all but the nearest (`OPERATORS`): others, such as `x << y`, fail at once. Where a
mutant has a field `equivalent`, that says why it changes nothing that matters; it is not run.
"""

import argparse
import ast
import contextlib
import difflib
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cosmic_ray.mutating import mutate_and_test, mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from cosmic_ray.testing import run_tests
from cosmic_ray.work_item import MutationSpec, TestOutcome

from benchmarks import report

SAMPLE = Path(__file__).with_name("mutants.json")
OPERATORS = re.compile(
    "BinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|FloorDiv_Mul|Mod_Mul|Pow_Mul)$"
    "|Comparison.*_(Eq_NotEq|NotEq_Eq|Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Is_IsNot|IsNot_Is)$"
    "|USub_UAdd|Delete_Not|True|False|AndWith|OrWith|AddNot|Break|Continue"
    "|Exception|Number|Decorator|ForLoop"
)
TIMEOUT = 3600  # seconds; a busy machine kills no mutant


def mutants(source: str) -> Iterator[tuple[str, int, str, str]]:
    """Operator, its occurrence, a line and what it becomes, for all mutants of a module."""
    meaning, lines = _meaning(source), source.splitlines()
    for name in filter(OPERATORS.search, operator_names()):
        for occurrence in itertools.count():
            mutant = mutate_code(source, get_operator(name)(), occurrence)
            if mutant is None:
                break
            with contextlib.suppress(SyntaxError):
                if _meaning(mutant) != meaning:
                    yield name, occurrence, *_change(lines, mutant.splitlines())


class _Meaning(ast.NodeTransformer):
    """Drops annotations, `*` between arguments, the wording of errors, and `strict` of `zip`."""

    def visit_arguments(self, node):
        names = [*node.posonlyargs, *node.args, *node.kwonlyargs]
        values = [*node.defaults, *filter(None, node.kw_defaults)]
        node = ast.arguments([], [ast.arg(name.arg) for name in names], None, [], [], None, values)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node):
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node):
        node.annotation = ast.Constant("")
        return self.generic_visit(node)

    def visit_Raise(self, node):
        if isinstance(node.exc, ast.Call):
            node.exc.args = []
        return node

    def visit_Call(self, node):
        node.keywords = [keyword for keyword in node.keywords if keyword.arg != "strict"]
        return self.generic_visit(node)


def _meaning(source):
    return ast.dump(_Meaning().visit(ast.parse(source)))


def _change(old, new):
    """The lines that differ, before and after."""
    codes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    _, i, j, k, m = next(code for code in codes if code[0] != "equal")
    return tuple(" ".join(map(str.strip, lines)).strip() for lines in (old[i:j], new[k:m]))


def draw(sample: dict, size: int) -> None:
    """Fills the sample: lines of all modules, as many of each as it has, and a mutant of each."""
    rng = random.Random(0)
    found = {}
    for module in sample:
        by_line = found[module] = {}
        for operator, _, line, becomes in mutants(Path(module).read_text()):
            by_line.setdefault(line, []).append((operator, line, becomes))
    total = sum(map(len, found.values()))
    for module, by_line in found.items():
        count = min(len(by_line), max(2, round(size * len(by_line) / total)))
        drawn = [rng.choice(by_line[line]) for line in rng.sample(list(by_line), count)]
        fields = ("operator", "line", "becomes")
        sample[module]["mutants"] = [dict(zip(fields, mutant, strict=True)) for mutant in drawn]


@contextlib.contextmanager
def _copy(commit):
    """A copy of a commit as the working directory, and where Python looks first."""
    with tempfile.TemporaryDirectory(prefix="iicnet_mutants_") as folder:
        subprocess.run(["git", "clone", "-q", "--shared", "-n", ".", folder], check=True)
        subprocess.run(["git", "-C", folder, "checkout", "-q", commit], check=True)
        os.environ["PYTHONPATH"] = folder
        os.environ.setdefault("IICNET_TEST_CACHE", f"{folder}/.compiled")
        with contextlib.chdir(folder):
            yield


def _command(tests):
    options = "-x -q -n 0 -p no:cacheprovider --hypothesis-seed=0"
    return " ".join([sys.executable, "-m pytest", options, *tests])


def run(module: str, mutant: dict, tests: list[str]) -> str:
    """The fate of a mutant: "survived", or "killed" and by what."""
    for operator, occurrence, *change in mutants(Path(module).read_text()):
        if [operator, *change] == [mutant["operator"], mutant["line"], mutant["becomes"]]:
            spec = MutationSpec(module, operator, occurrence, (1, 0), (1, 1))
            break
    else:
        return "gone: no such line"
    result = mutate_and_test([spec], _command(tests), TIMEOUT)
    if result.test_outcome == TestOutcome.SURVIVED:
        return "survived"
    by = re.search(r"^(?:FAILED|ERROR) (\S+)", result.output, re.MULTILINE)
    return f"killed by {by[1] if by else result.output.strip().splitlines()[-1]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", help="parts of paths; all without")
    parser.add_argument("--commit", default="HEAD", help="whose code and tests are run")
    parser.add_argument("--draw", type=int, help="draw a sample of that size instead, and stop")
    parser.add_argument("--known_green", action="store_true", help="the tests pass: start at once")
    arguments = parser.parse_args()
    sample = json.loads(SAMPLE.read_text())
    if arguments.draw:
        draw(sample, arguments.draw)
        SAMPLE.write_text(json.dumps(sample, indent=1) + "\n")
        return
    if arguments.modules:
        sample = {
            module: entry
            for module, entry in sample.items()
            if any(part in module for part in arguments.modules)
        }

    rows = []
    with _copy(arguments.commit):
        if not arguments.known_green:
            every = dict.fromkeys(test for entry in sample.values() for test in entry["tests"])
            outcome, output = run_tests(_command(every), 2 * TIMEOUT)
            if outcome != TestOutcome.SURVIVED:
                sys.exit(f"error: the tests fail without any mutant:\n{output}")
        for module, entry in sample.items():
            print(f"\n{module}", flush=True)
            fates = []
            for mutant in entry["mutants"]:
                if "equivalent" in mutant:
                    continue
                fates.append(run(module, mutant, entry["tests"]))
                print(
                    f"{mutant['operator']}: {fates[-1]}\n"
                    f"  - {mutant['line']}\n  + {mutant['becomes']}",
                    flush=True,
                )
            killed = sum(fate.startswith("killed") for fate in fates)
            rows.append({"module": module, "mutants": len(fates), "killed": killed})
    rows.append({"module": "all", **{k: sum(r[k] for r in rows) for k in ("mutants", "killed")}})
    rows = [{**row, "score": f"{row['killed'] / max(row['mutants'], 1):.0%}"} for row in rows]
    print("\n" + report.table(rows))


if __name__ == "__main__":
    main()
