"""What is wrong with a module is found, and told with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graders.authoring.lint import lint_course
from hub_config.settings import SAMPLE_MODULES_DIR
from tests.integration.authoring.course import SLUG, edit, found, run


def test_a_solution_that_fails_and_a_stub_that_passes_are_both_found(modules: Path) -> None:
    exercises = modules / SLUG / "exercises.md"
    edit(exercises, 'return table["visitors"].median()', 'return table["visitors"].max()')
    edit(
        exercises,
        'assert total(visits) == 330, "The seven days have 330 visitors"',
        "assert visits is not None",
    )
    edit(exercises, 'assert total(pd.DataFrame({"visitors": [1, 2]})) == 3', "assert 1 + 2 == 3")
    assert found(modules) == [
        "exercises.md E015 total-tests passes with nothing written",
        "exercises.md E014 usual-tests: AssertionError: Half of the days have 30 visitors or fewer",
    ]


def test_partial_credit_that_a_solution_does_not_get_or_a_stub_gets_is_found(modules: Path) -> None:
    exercises = modules / SLUG / "exercises.md"
    edit(exercises, "### END HIDDEN TESTS\n```\n\n## 2", "### END HIDDEN TESTS\n0.5\n```\n\n## 2")
    assert [line.split(" ", 2)[1] for line in found(modules)] == ["E014"]
    edit(exercises, "total(visits)", "330")
    edit(exercises, 'total(pd.DataFrame({"visitors": [1, 2]}))', "3")
    assert any("E015" in line and "with nothing written" in line for line in found(modules))


def test_a_lesson_that_fails_is_found_unless_the_error_is_the_lesson(modules: Path) -> None:
    lesson = modules / SLUG / "lesson.md"
    edit(lesson, "\nvisits\n", "\nvisits.guests\n")
    assert found(modules) == ["lesson.md E016 AttributeError: 'DataFrame' object has no attribute 'guests'"]
    edit(
        lesson,
        "```{code-cell} ipython3\nimport",
        "```{code-cell} ipython3\n:tags: [raises-exception]\n\nimport",
    )
    assert found(modules) == []


def test_visible_tests_that_need_the_hidden_ones_and_a_broken_stub_are_found(modules: Path) -> None:
    exercises = modules / SLUG / "exercises.md"
    edit(
        exercises,
        "### END HIDDEN TESTS\n```\n\n## 2",
        "few = 1\n### END HIDDEN TESTS\nassert few == 1\n```\n\n## 2",
    )
    edit(
        exercises,
        '    return table["visitors"].median()\n    ### END',
        '    return table["visitors"].median(\n    ### END',
    )
    edit(
        exercises,
        "    ### END SOLUTION\n```\n\n```{code-cell} ipython3\n---\ntests: usual",
        "    ### END SOLUTION\n    )\n```\n\n```{code-cell} ipython3\n---\ntests: usual",
    )
    assert found(modules) == [
        "exercises.md E017 total-tests: NameError: name 'few' is not defined",
        "exercises.md E017 usual: the stub is no Python: SyntaxError: unmatched ')' (line 5)",
    ]


def test_linting_one_module_leaves_the_rest_of_the_course_alone(modules: Path) -> None:
    edit(
        modules / "skills.yaml", "skills:\n", "skills:\n  - {id: other, title: Other, description: Other.}\n"
    )
    assert [finding.code for finding in lint_course(modules)] == ["S006"]
    assert lint_course(modules, [SLUG]) == ()


def test_a_module_with_too_little_in_it_is_found(modules: Path) -> None:
    exercises = modules / SLUG / "exercises.md"
    text = exercises.read_text()
    kept, _ = text.split("## 2 · Mean")
    tests, hidden = kept.split("### BEGIN HIDDEN TESTS")
    exercises.write_text(
        tests.replace("skills: [first-steps]\n", "") + hidden.split("### END HIDDEN TESTS\n")[1]
    )
    edit(modules / SLUG / "lesson.md", "quiz: first-steps", "tags: []")
    assert [line.split()[1] for line in found(modules)] == ["E009", "E010", "E008", "E011", "E013"]


def test_a_cell_that_never_ends_is_found(modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graders.authoring.bench.CELL_SECONDS", 2)
    edit(modules / SLUG / "lesson.md", "\nvisits\n", "\nwhile True:\n    pass\n")
    assert found(modules)[0] == "lesson.md E016 it ran for more than 2 s"


def test_lint_prints_place_and_code_and_exits_with_1(modules: Path) -> None:
    edit(modules / SLUG / "module.yaml", "minutes: 45", "minutes: -1")
    result = run("lint", SLUG, "--modules-dir", str(modules))
    assert result.exit_code == 1
    path = modules / SLUG / "module.yaml"
    assert f"{path}:4: M001 minutes: input should be greater than 0\n" in result.output
    as_json = json.loads(run("lint", SLUG, "--modules-dir", str(modules), "--json").stdout)
    assert as_json["findings"][0] == {
        "path": str(path),
        "line": 4,
        "code": "M001",
        "severity": "error",
        "message": "minutes: input should be greater than 0",
    }


def test_the_sample_course_has_no_finding() -> None:
    assert [str(finding) for finding in lint_course(SAMPLE_MODULES_DIR)] == []
