"""The course: its pages, quiz, slides, and labs from the archives to the grades of a class."""

import ast
import csv
import importlib.util
import json
import re
import shutil
import zipfile
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from nbclient import NotebookClient

from taobao_villages import __main__, data
from taobao_villages.book import build, prose
from taobao_villages.course import archives, grading, slides
from taobao_villages.course import labs as lab_files
from taobao_villages.course.marks import RUBRIC, write_grades
from taobao_villages.course.pages import (
    PARTS,
    ROOT,
    figure_chapter,
    fill,
    gift,
    plain,
    quiz,
    sessions,
)
from taobao_villages.verdicts import ledger

MINUTES = 90
LIMIT = 9  # seconds of the processor a submission; an endless loop takes a third of them


@pytest.fixture(scope="session")
def named():
    from taobao_villages.chapters import after_2017
    from taobao_villages.verdicts import kept

    rows = kept.ledger(ledger.ledger())
    return build.numbers([*rows, *(item.judge().as_dict() for item in after_2017.FORECASTS)])


@pytest.fixture(scope="session")
def made(tmp_path_factory, named):
    """The archives that `make course` writes, and what the check of the labs found."""
    out = tmp_path_factory.mktemp("course") / "out"
    return SimpleNamespace(out=out, rows=archives.make(out, 99, named))


# ---- sessions --------------------------------------------------------------------------------


def texts(value):
    """Every text inside nested lists and mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def test_the_minutes_of_a_session_are_those_of_its_parts():
    assert [one["number"] for one in sessions()] == list(range(1, 9))
    for one in sessions():
        assert set(one["minutes"]) == set(PARTS)
        assert sum(one["minutes"].values()) == MINUTES, one["title"]


def test_every_objective_is_assessed_and_every_item_assesses_an_objective():
    labs = {lab.number: lab for lab in lab_files.labs()}
    for one in sessions():
        items = {f"quiz:{q['id']}" for q in quiz() if q["session"] == one["number"]}
        lab = labs[one["number"]]
        items |= {f"lab:{name}" for name in (*lab.items, *lab.written)} | {"exit"}
        named = [item for aim in one["objectives"] for item in aim["assessed"]]
        assert all(aim["assessed"] for aim in one["objectives"])
        assert sorted(set(named)) == sorted(items), one["title"]
        assert len(named) == len(set(named)), "an item belongs to one objective"


def test_objectives_begin_with_verbs_that_can_be_observed():
    vague = {"understand", "know", "learn", "appreciate", "be", "see"}
    for one in sessions():
        for aim in one["objectives"]:
            assert aim["text"].split()[0].lower() not in vague


def test_numbers_of_the_course_come_from_the_ledger(named):
    for part in (*sessions(), *quiz()):
        for text in texts({k: v for k, v in part.items() if k not in ("minutes", "id")}):
            worked = text.startswith("A worked example") or "worked example" in str(part)
            if not worked and not re.fullmatch(r"O\d-\d|[\w-]+", text):
                assert prose.typed_figures(text) == [], text
            assert "{{" not in fill(text, named)


def test_a_number_that_the_ledger_lacks_is_an_error(named):
    with pytest.raises(KeyError):
        fill("so {{ C19.nonsense }}", named)
    assert fill("{{ C19.stated }}%", named) == "90%"


def test_links_become_words_off_the_page():
    text = "See {doc}`/book/after_2017`, {ref}`C18 <claim-c18>` and {term}`kin`; `gini`."
    assert plain(text) == "See after 2017, C18 and kin; gini."


# ---- exercises of the chapters ---------------------------------------------------------------

TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
CHAPTERS = [
    file["file"]
    for part in TOC["parts"]
    for chapter in part["chapters"]
    for file in (chapter, *chapter.get("sections", []))
    if re.fullmatch(r"book/\w+", file["file"]) and file["file"] != "book/explorer"
]  # the explorer is a tool, and argues nothing
MODULES = {path.stem for path in (ROOT / "src").rglob("*.py")}


def exercises(chapter):
    """The text of a chapter's exercises and solutions, and the code cells among them."""
    cells = nbformat.read(ROOT / f"{chapter}.ipynb", as_version=4).cells
    first = next(place for place, cell in enumerate(cells) if "## Exercises" in cell.source)
    after = (place for place, cell in enumerate(cells) if "## Further" in cell.source)
    last = next(after, len(cells))  # a page of methods ends with its exercises
    part = cells[first:last]
    text = "\n\n".join(cell.source for cell in part if cell.cell_type == "markdown")
    return text, [cell.source for cell in part if cell.cell_type == "code"]


def test_all_chapters_are_looked_at():
    files = {f"book/{path.stem}" for path in (ROOT / "book").glob("*.ipynb")}
    assert set(CHAPTERS) == files - {"book/explorer"}
    assert len(CHAPTERS) >= 14


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_exercises_rise_from_predict_to_extend_with_folded_solutions(chapter, pages):
    source, _ = exercises(chapter)
    asked = re.findall(r"^```\{exercise\}\n:label: (\S+)\n\*\*(\w+)\.\*\*", source, re.M)
    assert [kind for _, kind in asked] == ["Predict", "Change", "Extend"]
    solved = re.findall(r"^````\{solution(?:-start)?\} (\S+)\n:class: dropdown$", source, re.M)
    assert solved == [label for label, _ in asked]
    page = pages[f"{chapter}.html"]
    assert len(page.select("div.exercise")) == len(page.select("div.solution.dropdown")) == 3


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_solutions_run_in_the_build(chapter, pages):
    _, code = exercises(chapter)
    assert code, "a cell that solves stands in one of the solutions"
    page = pages[f"{chapter}.html"]
    shown = {cell.pre.get_text().strip(): cell for cell in page.select("div.cell") if cell.pre}
    for text in code:
        assert shown[text.strip()].select_one(".cell_output"), text


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_answer_stands_open(chapter, pages):
    (section,) = pages[f"{chapter}.html"].select("section#exercises")
    _, code = exercises(chapter)
    answers = section.select("div.cell")
    assert len(answers) == len(code)
    for answer in answers:
        fold = answer.find_parent("div", class_="solution")
        assert fold is not None, answer.get_text()
        assert {"admonition", "dropdown"} <= set(fold["class"])
        title = fold.select_one(".admonition-title").get_text(" ", strip=True)
        assert re.fullmatch(r"Solution to Exercise \d+", title)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_calls_that_a_chapter_prints_run(chapter):
    cells = nbformat.read(ROOT / f"{chapter}.ipynb", as_version=4).cells
    source = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    tree = ast.parse(code)
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    given = {node.id for node in used if isinstance(node.ctx, ast.Store)}
    given |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    own = {"n", "share", "s", "frame"}  # what the reader chooses
    space = {}
    exec("\n".join(ast.unparse(n) for n in tree.body if "Import" in type(n).__name__), space)
    for call in re.findall(r"(?<!`)`([^`\n]+)`", source):
        if "(" not in call:
            continue
        nodes = list(ast.walk(ast.parse(call)))
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        if names <= set(space):
            eval(call, space)
        assert names <= {*space, *given, *own}, call
        parts = [node.value for node in nodes if isinstance(node, ast.Attribute)]
        roots = {part.id for part in parts if isinstance(part, ast.Name)}
        assert roots & MODULES <= set(space), call  # the page has it for a variable


# ---- quiz ------------------------------------------------------------------------------------


def test_the_quiz_has_forty_questions_with_feedback_for_each_option():
    questions = quiz()
    assert len(questions) >= 40
    assert len({q["id"] for q in questions}) == len(questions)
    for question in questions:
        assert sum("right" in option for option in question["options"]) == 1, question["id"]
        assert len(question["options"]) >= 3
        assert all(len(option["why"]) > 15 for option in question["options"])


def test_the_right_option_has_no_fixed_place():
    places = [next(i for i, o in enumerate(q["options"]) if "right" in o) for q in quiz()]
    assert all(places.count(place) >= len(places) // 5 for place in range(3))


def test_the_quiz_as_gift(named):
    text = gift(named)
    blocks = [block for block in text.split("$CATEGORY: ") if block]
    assert len(blocks) == len(quiz())
    for block in blocks:
        assert len(re.findall(r"^  =", block, re.M)) == 1
        assert len(re.findall(r"^  ~", block, re.M)) >= 2
        bare = re.sub(r"\\.", "", block)
        assert (bare.count("{"), bare.count("}"), bare.count("::")) == (1, 1, 2)
        for line in re.findall(r"^  [=~].*", bare, re.M):
            assert line.count("#") == 1, "feedback follows each option"
    assert "`" not in text
    assert "{ref}" not in text


# ---- labs ------------------------------------------------------------------------------------


def test_solutions_score_full_untouched_labs_score_zero_and_slips_get_their_hints(made):
    assert {row["lab"] for row in made.rows} == set(range(1, 9))
    for row in made.rows:
        assert row["as_expected"], row
        if row["version"] == "solution":
            assert row["points"] == row["of"] > 0
        else:
            assert row["points"] < row["of"]
            assert row["version"] != "untouched" or row["points"] == 0
    for number in range(1, 9):
        assert sum(row["slips"] for row in made.rows if row["lab"] == number) >= 3


def test_slips_that_give_one_value_on_some_data_get_all_their_hints():
    wrong = [{"value": value, "hint": hint} for value, hint in ((24, "a."), (1, "b."), (24, "c."))]
    entry = {"points": 2, "right": [7], "wrong": wrong, "within": 0, "absolute": 1e-6}
    assert [grading.judge([value], entry)[1] for value in (24, 1, 7)] == ["a. Or: c.", "b.", ""]


def test_keys_change_with_the_seed_and_come_back_with_it(made, tmp_path):
    lab = lab_files.labs()[3]
    first = json.loads((made.out / "instructor/lab_4/key.json").read_text("utf-8"))
    other = archives.key(lab, tmp_path / "other", 100)
    again = archives.key(lab, tmp_path / "again", 99)
    assert again["items"] == first["items"]
    assert other["items"]["gini"]["right"] != first["items"]["gini"]["right"]
    assert len(set(first["items"]["gini"]["right"])) == archives.DRAWS, "each draw is another one"


def test_a_lab_that_cannot_be_solved_is_an_error(tmp_path):
    lab = lab_files.labs()[3]
    lab.cells[-2] = ("question", "highest", "highest = provinces.loc[nonsense]")
    with pytest.raises(RuntimeError, match="nonsense"):
        archives.key(lab, tmp_path / "key", 1)


@pytest.mark.parametrize("name", ["student", "instructor"])
def test_the_archive_holds_the_folder(made, name):
    with zipfile.ZipFile(made.out / f"{name}.zip") as archive:
        inside = set(archive.namelist())
    on_disk = {p.relative_to(made.out).as_posix() for p in (made.out / name).rglob("*.*")}
    assert inside == on_disk
    assert len(inside) > 10


def solutions() -> list[str]:
    """The lines of code that solve the labs, and the hints of their slips."""
    found = []
    for lab in lab_files.labs():
        for kind, _, text in lab.cells:
            if kind == "question":
                lines = [line for line in text.splitlines() if len(line) > 25]
                found += [line for line in lines if not re.match("(?:from|import) ", line)]
        found += [hint for item in lab.items.values() for _, hint in item.wrong]
    return found


def contents(folder):
    """The texts of a folder's files, and of those in its package."""
    for path in sorted(folder.rglob("*.*")):
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield name + "\n" + archive.read(name).decode("utf-8", errors="replace")
        else:
            yield path.read_text("utf-8")


def test_students_and_the_site_get_no_solution_key_or_second_draw(made, html):
    for folder in (made.out / "student", html):
        names = {path.name for path in folder.rglob("*")}
        assert not names & {"key.json", "draw_0", "draw_1", "instructor", "quiz.gift", "check.csv"}
        assert not [name for name in names if "solution" in name or name.startswith("lab_8_")]
    given = "\n".join(contents(made.out / "student"))
    built = [*html.rglob("*.html"), *html.rglob("*.js"), *(html / "_sources").rglob("*.*")]
    site = "\n".join(path.read_text("utf-8", errors="replace") for path in built)
    for line in solutions():
        assert json.dumps(line)[1:-1] not in given, line
        assert line not in given, line
        assert line not in site, line
    secret = (made.out / "instructor/lab_4/draw_1/provinces.csv").read_text("utf-8")
    assert secret not in given
    assert "lab_1" not in site, "labs are not on the site"
    assert "taobao_villages/course/pages.py" in given, "the package has been read too"


def test_the_grader_has_imported_what_the_labs_given_cells_import():
    found = set()
    for path in sorted((ROOT / "course/labs").glob("lab_*.py")):
        given = path.read_text("utf-8")
        for module, name in re.findall(r"^from (taobao_villages[.\w]*) import (\w+)", given, re.M):
            whole = f"{module}.{name}"
            found.add(
                whole if importlib.util.find_spec(module).submodule_search_locations else module
            )
    assert len(found) >= 5
    assert found <= set(grading.IMPORTED)


def test_the_student_archive_runs_on_its_own(made, tmp_path):
    folder = shutil.copytree(made.out / "student", tmp_path / "student")
    last = {}
    for name in ("check_setup", "capstone/capstone", "lab_4/lab_4"):
        path = folder / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(path.parent))
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        last[name] = "".join(one.get("text", "") for one in outputs).splitlines()[-1]
    assert last["check_setup"] == "Your set-up works."
    assert last["capstone/capstone"] == "not testable here"


@pytest.mark.parametrize("name", ["check_setup.ipynb", "capstone/capstone.ipynb"])
def test_notebooks_for_students_are_stored_as_they_are_given_and_without_outputs(made, name):
    stored = ROOT / "course" / name.rpartition("/")[2]
    assert (made.out / "student" / name).read_bytes() == stored.read_bytes()
    notebook = nbformat.read(stored, as_version=4)
    nbformat.validate(notebook)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells) > 1
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_the_archive_names_the_package_that_it_holds(made):
    (package,) = (made.out / "student").glob("*.whl")
    assert package.name in (made.out / "student/README.txt").read_text("utf-8")
    with zipfile.ZipFile(package) as archive:
        names = set(archive.namelist())
    assert {
        "taobao_villages/methods/inequality.py",
        "taobao_villages/_data/datapackage.json",
    } <= names


def test_the_last_cell_checks_the_form_and_not_the_answer(made):
    path = made.out / "student/lab_4/lab_4.ipynb"
    last = nbformat.read(path, as_version=4).cells[-1].source
    said = []
    exec(last, {"gini": 0, "highest": 7, "quotient": ..., "print": lambda *w: said.append(w)})
    found = {name: told for name, told, *_ in said}
    assert found["gini"] == "has the right form"
    assert found["highest"] == "is not answered: a text is asked for"
    assert found["quotient"] == found["top_share"] == "is not answered: a number is asked for"


def test_otter_gets_every_item_with_a_hidden_test(made):
    for lab in lab_files.labs():
        path = made.out / f"instructor/otter/lab_{lab.number}/lab_{lab.number}.ipynb"
        text = [cell["source"] for cell in nbformat.read(path, as_version=4).cells]
        begun = [one.splitlines()[1] for one in text if one.startswith("# BEGIN QUESTION")]
        assert begun == [f'name: "{name}"' for name in (*lab.items, *lab.written)]
        assert sum(one.startswith("# HIDDEN") for one in text) == len(lab.items)
        assert text.count("# BEGIN SOLUTION") == text.count("# END SOLUTION") == len(begun)


# ---- the grades of a class -------------------------------------------------------------------

KINDS = ("right", "wrong", "blank", "typed", "crash", "exit", "loop", "kill", "broken", "missing")


def submission(lab, told, kind):
    """A notebook (or text) of one simulated student."""
    items = told["items"]
    if kind == "blank":
        return json.dumps(lab_files.notebook(lab, "student"))
    if kind == "typed":
        typed = {name: f"{name} = {entry['right'][0]!r}" for name, entry in items.items()}
        return json.dumps(lab_files.notebook(lab, "solution", typed))
    if kind == "broken":
        return '{"cells": ['
    last = next(reversed(items))
    ends = {
        "crash": "1 / 0",
        "exit": "raise SystemExit(1)",
        "loop": "while True:\n    pass",
        "kill": "import os\nos._exit(7)",
    }
    replaced = {last: ends[kind]} if kind in ends else {}
    if kind == "wrong":
        slip = items["gini"]["wrong"][0]
        replaced = {"gini": f"gini = {slip['expression']}"}
    made = lab_files.notebook(lab, "solution", replaced)
    for cell in made["cells"]:
        if cell["source"].startswith("**Answer map_written:**"):
            cell["source"] = "**Answer map_written:** Two provinces differ by people."
    return json.dumps(made)


@pytest.fixture(scope="session")
def graded(made, tmp_path_factory):
    """The grades of a class of thirty, three of each kind."""
    folder = tmp_path_factory.mktemp("class")
    lab, key = lab_files.labs()[3], made.out / "instructor/lab_4"
    told = json.loads((key / "key.json").read_text("utf-8"))
    roster = [f"{kind}_{number}" for kind in KINDS for number in range(3)]
    (folder / "in").mkdir()
    for student in roster:
        kind = student.split("_")[0]
        if kind != "missing":
            (folder / "in" / f"{student}.ipynb").write_text(submission(lab, told, kind), "utf-8")
    (folder / "in" / "stranger.docx").write_text("my answers", "utf-8")
    (folder / "roster.csv").write_text("student\n" + "\n".join(roster) + "\n", "utf-8")
    code = __main__.main(
        [
            "grade",
            str(folder / "in"),
            "--key",
            str(key),
            "--limit",
            str(LIMIT),
            "--roster",
            str(folder / "roster.csv"),
            "--out",
            str(folder / "out"),
        ]
    )
    assert code == 0
    with (folder / "out/grades.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    return SimpleNamespace(out=folder / "out", rows=rows, roster=roster, told=told)


def test_nobody_is_lost(graded):
    assert set(graded.rows) == {*graded.roster, "stranger"}


def test_each_kind_of_submission_gets_its_grade(graded):
    full, items = graded.told["points"], graded.told["items"]
    last = items["highest"]["points"]
    # Where all draws happen to have the same answer, a typed one cannot be told.
    same_on_all = sum(
        entry["points"]
        for entry in items.values()
        if all(grading.same(entry["right"][0], other, entry) for other in entry["right"])
    )
    assert same_on_all < full / 2
    points = {
        "right": full,
        "wrong": full - items["gini"]["points"],
        "blank": 0,
        "typed": same_on_all,
        "crash": full - last,
        "exit": full - last,
        "loop": full - last,
        "broken": 0,
        "missing": 0,
        "kill": 0,
    }
    for student in graded.roster:
        row = graded.rows[student]
        assert int(row["points"]) == points[student.split("_")[0]], row
        assert int(row["of"]) == full
        assert int(row["points"]) == sum(int(row[name]) for name in items)


def test_each_failure_is_reported_by_name(graded):
    said = {
        "right": ("graded", ""),
        "crash": ("graded", "ZeroDivisionError"),
        "exit": ("graded", "SystemExit"),
        "loop": ("graded", "TimeoutError: a cell ran longer"),
        "kill": ("crashed", "the process ended"),
        "broken": ("not a notebook", "cannot be read as a notebook"),
        "missing": ("no file", "no file found"),
    }
    for kind, (status, fault) in said.items():
        for number in range(3):
            row = graded.rows[f"{kind}_{number}"]
            assert row["status"] == status, row
            assert fault in row["faults"], row
            assert fault or not row["faults"], row
    stranger = graded.rows["stranger"]
    assert stranger["status"] == "not a notebook"
    assert "not on the roster" in stranger["faults"]
    assert ".docx" in stranger["faults"]


def test_hints_help(graded):
    gini = graded.told["items"]["gini"]
    assert gini["wrong"][0]["hint"] in graded.rows["wrong_0"]["hints"]
    assert "Right on your data only" in graded.rows["typed_0"]["hints"]
    assert "Not answered" in graded.rows["blank_0"]["hints"]
    assert graded.rows["right_0"]["hints"] == ""
    feedback = (graded.out / "feedback/wrong_0.txt").read_text("utf-8")
    assert gini["wrong"][0]["hint"] in feedback


def test_written_answers_wait_for_the_rubric(graded):
    with (graded.out / "written.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert rows["right_0"]["answer"] == "Two provinces differ by people."
    assert rows["blank_0"]["answer"] == "(no answer)"
    assert set(RUBRIC) < set(rows["right_0"])


@pytest.fixture
def draws(tmp_path):
    """Two draws of an empty lab."""
    made = [tmp_path / "draw_0", tmp_path / "draw_1"]
    for path in made:
        path.mkdir()
    return made


def test_a_loop_that_turns_its_limit_off_is_ended(draws):
    stop = "import signal\nfor one in (signal.ITIMER_PROF, signal.ITIMER_REAL):\n"
    stop += "    signal.setitimer(one, 0)\nwhile True:\n    pass"
    done = grading.run(["a = 1", stop], ["a"], draws, limit=1)
    assert done["status"] == "time limit"
    assert done["draws"][0]["values"] == {"a": 1}


def test_the_clock_of_a_busy_machine_takes_no_points(draws):
    wait = "import time\ntime.sleep(1)"  # as if others had the processor, for five limits
    done = grading.run([wait, "a = 1"], ["a"], draws[:1], limit=0.6)
    assert done == {"status": "graded", "draws": [{"values": {"a": 1}, "faults": []}]}


def test_what_the_labs_import_does_not_count(draws):
    code = {
        line
        for lab in lab_files.labs()
        for kind, _, text in lab.cells
        if kind in ("code", "question")
        for line in text.splitlines()
        if re.match("(?:import|from) ", line)
    }
    assert len(code) >= 5
    # What is left of the imports takes milliseconds; pandas alone would take half a second.
    done = grading.run(["\n".join(sorted(code))], [], draws[:1], limit=0.3)
    assert done == {"status": "graded", "draws": [{"values": {}, "faults": []}]}


def test_a_cell_that_waits_for_ever_is_left_and_left_out_afterwards(draws):
    done = grading.run(["import time\ntime.sleep(9999)", "a = 1"], ["a"], draws, limit=0.6)
    fault = "code cell 1: TimeoutError: a cell ran longer than 2 s by the clock"
    assert done["status"] == "graded"
    assert [one["faults"] for one in done["draws"]] == [[fault], []]
    assert [one["values"] for one in done["draws"]] == [{"a": 1}] * 2


def test_a_cell_that_takes_too_much_memory_fails_alone(draws):
    done = grading.run(["b = bytearray(8 * 2**30)", "a = 1"], ["a"], draws[:1], limit=9)
    assert done["draws"] == [{"values": {"a": 1}, "faults": ["code cell 1: MemoryError: "]}]


def test_answers_of_odd_types_are_no_answers(draws):
    code = [
        "class Odd:\n    @property\n    def item(self):\n        raise KeyError\n",
        "a, b, c, d = Odd(), float('nan'), 10**400, 'x' * 5000",
    ]
    values = grading.run(code, list("abcd"), draws[:1], limit=9)["draws"][0]["values"]
    assert values == {"a": None, "b": None, "c": None, "d": "x" * grading.LONGEST}


def graded_alone(folder, made):
    """Grades of lab 4 for what lies in a folder, by student."""
    rows = grading.grade(folder, made.out / "instructor/lab_4", limit=LIMIT)
    return {row["student"]: row for row in rows}


def test_folders_of_students_and_files_that_cannot_be_graded(made, tmp_path):
    folder = tmp_path / "in"
    for name in ("li", "wang", "zhao"):
        (folder / name).mkdir(parents=True)
    blank = json.dumps(lab_files.notebook(lab_files.labs()[3], "student"))
    (folder / "li/lab_4.ipynb").write_text(blank, "utf-8")
    (folder / "li/.hidden.ipynb").write_text(blank, "utf-8")
    for name in ("first", "second"):
        (folder / f"wang/{name}.ipynb").write_text(blank, "utf-8")
    (folder / ".DS_Store").write_text("", "utf-8")
    with (folder / "sun.ipynb").open("wb") as file:
        file.truncate(grading.FILE + 1)
    rows = graded_alone(folder, made)
    assert {name: row["status"] for name, row in rows.items()} == {
        "li": "graded",
        "wang": "not graded",
        "zhao": "no file",
        "sun": "not a notebook",
    }
    assert "first.ipynb, second.ipynb: keep the one that counts" in rows["wang"]["faults"]
    assert "50 are the most" in rows["sun"]["faults"]


def test_a_submission_that_breaks_the_grading_is_named_and_the_others_are_graded(made, tmp_path):
    spoil = 'import os, pathlib\npathlib.Path("../result.json").write_text("{")\nos._exit(0)'
    cells = [{"cell_type": "code", "source": spoil}]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}), "utf-8")
    blank = json.dumps(lab_files.notebook(lab_files.labs()[3], "student"))
    (tmp_path / "b.ipynb").write_text(blank, "utf-8")
    rows = graded_alone(tmp_path, made)
    assert rows["a"]["status"] == "not graded"
    assert rows["a"]["faults"].startswith("JSONDecodeError")
    assert (rows["a"]["points"], rows["b"]["status"]) == (0, "graded")


@pytest.mark.parametrize(
    ("missing", "said"),
    [("in", "no such folder"), ("key", "has no key.json"), ("column", "no column student")],
)
def test_grading_says_what_is_missing(made, tmp_path, capsys, missing, said):
    (tmp_path / "in").mkdir()
    (tmp_path / "roster.csv").write_text("name\nli\n", "utf-8")
    folder = tmp_path / ("nonsense" if missing == "in" else "in")
    key = tmp_path if missing == "key" else made.out / "instructor/lab_4"
    roster = ["--roster", str(tmp_path / "roster.csv")]
    code = __main__.main(["grade", str(folder), "--key", str(key), *roster])
    assert code != 0
    told = capsys.readouterr()
    assert said in told.out + told.err
    assert "Remedy" in told.out + told.err


def test_notebook_commands_of_a_submission_do_not_stop_it(tmp_path):
    cells = [{"cell_type": "code", "source": ["%matplotlib inline\n", "x = 1\n", "!ls"]}]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}), "utf-8")
    code, _ = grading.read_submission(path)
    space = {}
    exec(code[0], space)
    assert space["x"] == 1


@pytest.mark.parametrize(
    ("answer", "right", "expected"),
    [
        (1.004, 1, True),
        (1.006, 1, False),
        (" Henan ", "henan", True),
        ("1", 1, False),
        (True, 1, False),
        (None, 1, False),
        (0, 0, True),
        (0, -0.033, False),
    ],
)
def test_what_counts_as_the_same(answer, right, expected):
    assert grading.same(answer, right, {"within": 0.005, "absolute": 1e-6}) is expected


# ---- what a teacher has done is never lost ----------------------------------------------------

HEAD = "student,status,points,of,gini,highest,faults,hints\n"
WRITTEN = "student,item,answer,claim,evidence,uncertainty,limits\n"


def result(student, gini=2, answer="Because.", status="graded"):
    """What the grading gives for one student of a small lab."""
    row = {"student": student, "status": status, "points": gini + 1, "of": 3, "faults": ""}
    row |= {"gini": gini, "highest": 1, "written": {"map_written": answer}}
    return row | {"hints": {} if gini else {"gini": "Not squared."}}


def table(path):
    """A table's rows as mappings."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def mark(path, student, marks):
    """Type marks behind a student's answer, as a teacher does."""
    text = path.read_text("utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith(f"{student},")]
    assert line.endswith(",,,,")
    path.write_text(text.replace(line, line[:-4] + f",{marks}"), "utf-8")


def everything(folder):
    """Every file of a folder with its bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_late_notebook_and_another_lab_keep_marks_and_rows(made, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    key = made.out / "instructor"
    (tmp_path / "roster.csv").write_text("student\nanna\nben\ncai\n", "utf-8")
    for student in ("anna", "ben"):
        (tmp_path / student).mkdir()
        solution = key / "lab_4/lab_4_solution.ipynb"
        shutil.copy(solution, tmp_path / student / f"{student}.ipynb")
    (tmp_path / "five").mkdir()
    shutil.copy(key / "lab_5/lab_5_solution.ipynb", tmp_path / "five/anna.ipynb")

    def grade(folder, lab):
        call = ["grade", folder, "--key", str(key / lab), "--roster", "roster.csv"]
        return __main__.main([*call, "--limit", str(LIMIT)])

    assert grade("anna", "lab_4") == 0
    written = tmp_path / "grades/lab_4/written.csv"
    mark(written, "anna", "3,2,3,1")
    assert grade("ben", "lab_4") == 0
    assert "without a file here, with what they had: 2" in capsys.readouterr().out
    assert grade("five", "lab_5") == 0
    marks = {row["student"]: [row[name] for name in RUBRIC] for row in table(written)}
    assert marks == {"anna": ["3", "2", "3", "1"], "ben": [""] * 4}
    points = {row["student"]: row["points"] for row in table(written.with_name("grades.csv"))}
    assert points == {"anna": "9", "ben": "9", "cai": "0"}
    assert (tmp_path / "grades/lab_5/grades.csv").exists()
    feedback = {path.name for path in (tmp_path / "grades/lab_4/feedback").glob("*.txt")}
    assert feedback == {"anna.txt", "ben.txt", "cai.txt"}


def test_who_is_graded_again_gets_new_points_and_keeps_what_was_typed(tmp_path):
    write_grades([result("anna", gini=0), result("ben")], tmp_path)
    (tmp_path / "grades.csv").write_text(
        "remark,points,student,status,of,highest,gini,faults,hints,\n"
        "was ill,3,ben,graded,3,1,2,,,\n"
        ",1,anna,graded,3,1,0,,gini: Not squared.,beside\n"
        "mean,2,,,,,,,,\n",
        "utf-8",
    )
    mark(tmp_path / "written.csv", "anna", "3,2,3,1")
    mark(tmp_path / "written.csv", "ben", "1,1,1,1")
    said = write_grades([result("anna"), result("ben", answer="No:\nlook.")], tmp_path)
    assert (tmp_path / "grades.csv").read_text("utf-8") == (
        "remark,points,student,status,of,highest,gini,faults,hints,\n"
        "was ill,3,ben,graded,3,1,2,,,\n"
        ",3,anna,graded,3,1,2,,,beside\n"
        "mean,2,,,,,,,,\n"
    )
    marks = [
        (row["student"], row["answer"], row["claim"]) for row in table(tmp_path / "written.csv")
    ]
    assert marks == [("anna", "Because.", "3"), ("ben", "No:\nlook.", "1")]
    assert [line for line in said if "has changed since it was marked" in line] == [
        "ben: the written answer map_written has changed since it was marked; the marks are kept, "
        "look at it again"
    ]
    assert "anna: 3 points now, 1 points before" in said
    again = write_grades([result("anna"), result("ben", answer="No: look.")], tmp_path)
    assert len(again) == 1, "another end of a line is no other answer"


def test_a_student_without_a_file_in_this_run_keeps_the_points(tmp_path):
    write_grades([result("anna")], tmp_path)
    missing = result("anna", gini=-1, status="no file") | {"written": {}}
    late = result("ben", gini=-1, status="no file") | {"written": {}}
    said = write_grades([missing, late], tmp_path)
    assert [row["points"] for row in table(tmp_path / "grades.csv")] == ["3", "0"]
    assert "without a file here, with what they had: 1" in said
    assert (tmp_path / "feedback/anna.txt").read_text("utf-8").startswith("anna: 3 of 3")
    said = write_grades([result("ben")], tmp_path)
    assert [row["status"] for row in table(tmp_path / "grades.csv")] == ["graded", "graded"]
    assert not [line for line in said if "before" in line], (
        "nobody had given the ben of before points"
    )


SPREADSHEETS = {
    "mark of the byte order": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "semicolons": lambda text: b"\xef\xbb\xbf" + text.replace(",", ";").encode(),
    "tabs": lambda text: text.replace(",", "\t").encode(),
    "other ends of lines": lambda text: text.replace("\n", "\r\n").encode(),
    "old ends of lines": lambda text: text.replace("\n", "\r").encode(),
    "quotes": lambda text: re.sub(r"[^,\n]+", r'"\g<0>"', text).encode(),
    "blank lines": lambda text: (text + "\n\n").encode(),
    "order of rows": lambda text: "\n".join(
        [text.splitlines()[0], *sorted(text.splitlines()[1:], reverse=True), ""]
    ).encode(),
    "order of columns": lambda text: "\n".join(
        ",".join(reversed(line.split(","))) for line in text.splitlines()
    ).encode(),
}


@pytest.mark.parametrize("name", SPREADSHEETS)
def test_tables_that_a_spreadsheet_saved_are_read(tmp_path, name):
    write_grades([result("anna"), result("李")], tmp_path)
    mark(tmp_path / "written.csv", "李", "3,2,3,1")
    for path in (tmp_path / "grades.csv", tmp_path / "written.csv"):
        path.write_bytes(SPREADSHEETS[name](path.read_text("utf-8")))
    write_grades([result("ben"), result("anna", gini=1)], tmp_path)
    rows = [row for row in table(tmp_path / "written.csv") if row["student"]]
    assert {row["student"]: row["limits"] for row in rows} == {"anna": "", "李": "1", "ben": ""}
    rows = [row for row in table(tmp_path / "grades.csv") if row["student"]]
    assert {row["student"]: row["points"] for row in rows} == {"anna": "2", "李": "3", "ben": "3"}


REFUSED = {
    "another lab": ("grades.csv", HEAD.replace("gini", "moran") + "anna,graded,3,3,2,1,,\n"),
    "a column taken out": ("grades.csv", HEAD.replace("gini,", "") + "anna,graded,3,3,1,,\n"),
    "the answers of another lab": ("written.csv", WRITTEN + "anna,chance_written,So.,3,3,3,3\n"),
    "no head": ("written.csv", "anna,map_written,Because.,3,2,3,1\n"),
    "a column twice": (
        "written.csv",
        WRITTEN.replace("limits", "claim") + "a,map_written,B,3,2,3,1\n",
    ),
    "half a file": ("written.csv", WRITTEN + 'anna,map_written,"Because'),
    "another encoding": (
        "written.csv",
        (WRITTEN + "José,map_written,B,3,2,3,1\n").encode("cp1252"),
    ),
    "two bytes a letter": ("grades.csv", (HEAD + "anna,graded,3,3,2,1,,\n").encode("utf-16")),
    "a workbook": ("written.csv", b"PK\x03\x04" + bytes(range(256))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_tables_that_would_be_lost_are_refused_in_one_sentence(tmp_path, name):
    file, content = REFUSED[name]
    write_grades([result("ben")], tmp_path)
    raw = content.encode() if isinstance(content, str) else content
    (tmp_path / file).write_bytes(raw)
    before = everything(tmp_path)
    with pytest.raises(data.DataError) as refused:
        write_grades([result("anna")], tmp_path)
    (fault,) = refused.value.faults
    assert fault.startswith(f"{tmp_path / file} ")
    assert fault.count(". Remedy: ") == 1
    assert everything(tmp_path) == before


def test_a_refused_table_is_refused_before_the_grading(made, tmp_path, monkeypatch, capsys):
    (tmp_path / "grades.csv").write_text(HEAD.replace("gini", "moran"), "utf-8")
    monkeypatch.setattr(grading, "grade", lambda *_, **__: pytest.fail("it was graded"))
    call = ["grade", str(tmp_path), "--key", str(made.out / "instructor/lab_4")]
    assert __main__.main([*call, "--out", str(tmp_path)]) == 1
    assert "of another lab" in capsys.readouterr().err


def test_a_table_open_in_a_spreadsheet_is_refused(tmp_path):
    write_grades([result("anna")], tmp_path)
    (tmp_path / ".~lock.written.csv#").write_text("teacher", "utf-8")
    with pytest.raises(data.DataError, match=r"written.csv is open in a spreadsheet. Remedy: save"):
        write_grades([result("ben")], tmp_path)


@pytest.mark.parametrize("empty", ["", "\ufeff", "\n\n", None])
def test_an_empty_table_is_begun_anew(tmp_path, empty):
    for name in ("grades.csv", "written.csv"):
        if empty is not None:
            (tmp_path / name).write_text(empty, "utf-8")
    write_grades([result("anna")], tmp_path)
    assert (tmp_path / "grades.csv").read_text("utf-8") == HEAD + "anna,graded,3,3,2,1,,\n"
    marks = "anna,map_written,Because.,,,,\n"
    assert (tmp_path / "written.csv").read_text("utf-8") == WRITTEN + marks


def test_columns_taken_out_come_back_and_rows_of_the_teacher_stay(tmp_path):
    write_grades([result("anna"), result("ben")], tmp_path)
    (tmp_path / "written.csv").write_text(
        "student,item,answer,claim\n"
        "anna,map_written,Because.,3,a word beside\n"
        "anna,map_written,Because.,2\n"  # a second marker's
        "anna,talk,in class,1\n",
        "utf-8",
    )
    write_grades([result("anna", answer="New."), result("ben")], tmp_path)
    assert (tmp_path / "written.csv").read_text("utf-8") == (
        "student,item,answer,claim,,evidence,uncertainty,limits\n"
        "anna,map_written,New.,3,a word beside,,,\n"
        "anna,map_written,New.,2,,,,\n"
        "anna,talk,in class,1,,,,\n"
        "ben,map_written,Because.,,,,,\n"
    )


def test_answers_that_no_table_can_hold_are_read_back(tmp_path):
    odd = 'a\rb\r\nc,;"\t\x00 \ud800' + "x" * 200_000
    write_grades([result("anna", answer=odd), result("ben")], tmp_path)
    mark(tmp_path / "written.csv", "ben", "3,2,3,1")
    before = (tmp_path / "written.csv").read_bytes()
    said = write_grades([result("anna", answer=odd)], tmp_path)
    assert len(said) == 1
    assert (tmp_path / "written.csv").read_bytes() == before


def test_earlier_feedback_is_laid_aside_and_nothing_of_the_teacher_goes(tmp_path):
    write_grades([result("anna", gini=0), result("ben"), result("cai")], tmp_path)
    feedback = tmp_path / "feedback"
    (feedback / "gone.txt").write_text("gone: 1 of 3 points (graded)\n", "utf-8")
    (feedback / "notes.txt").write_text("my notes\n", "utf-8")
    (feedback / "cai.txt").write_text("Well done, Cai!\n", "utf-8")
    before = everything(feedback)
    said = write_grades([result("anna"), result("cai")], tmp_path)
    after = everything(feedback)
    assert set(after) == {
        *("anna.txt", "ben.txt", "cai.txt", "notes.txt"),
        *("earlier/anna.txt", "earlier/cai.txt", "earlier/gone.txt"),
    }
    assert after["anna.txt"].startswith(b"anna: 3 of 3")
    for name in ("anna", "cai", "gone"):
        assert after[f"earlier/{name}.txt"] == before[f"{name}.txt"]
    assert (after["ben.txt"], after["notes.txt"]) == (before["ben.txt"], before["notes.txt"])
    assert any(line.endswith("earlier: anna.txt, cai.txt, gone.txt") for line in said)
    write_grades([result("anna", gini=1)], tmp_path)
    assert everything(feedback)["earlier/anna_2.txt"] == after["anna.txt"]


def test_no_two_students_share_a_feedback(tmp_path):
    students = ["a:b", "a;b", "A;B", "a_b_2"]
    write_grades([result(student) for student in students], tmp_path)
    write_grades([result("a;b")], tmp_path)
    files = list((tmp_path / "feedback").glob("*.txt"))
    assert len({path.name.casefold() for path in files}) == len(students)
    texts = [path.read_text("utf-8") for path in files]
    assert sorted(text.partition(": ")[0] for text in texts) == sorted(students)
    assert not (tmp_path / "feedback/earlier").exists()


def test_a_failed_run_leaves_all_tables_as_they_were(tmp_path, monkeypatch):
    write_grades([result("anna")], tmp_path)
    mark(tmp_path / "written.csv", "anna", "3,2,3,1")
    before = everything(tmp_path)
    write = type(tmp_path).write_bytes

    def full(path, content):
        write(path, content[: len(content) // 2])
        if content.startswith(b"ben: "):  # the last: tables are written by then
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "write_bytes", full)
    with pytest.raises(OSError, match="No space") as failed:
        write_grades([result("ben")], tmp_path)
    assert failed.value.filename == str(tmp_path / "feedback/ben.txt")
    assert everything(tmp_path) == before


def test_a_folder_that_is_none_or_closed_is_refused_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine", "utf-8")
    monkeypatch.setattr(archives, "_lay_out", lambda *_: pytest.fail("it was made"))
    for out in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(data.DataError, match=r"file is a file. Remedy: "):
            write_grades([result("anna")], out)
        with pytest.raises(data.DataError, match=r"file is a file. Remedy: "):
            archives.make(out, 99, {})
    monkeypatch.setattr("os.access", lambda path, _: path != tmp_path)  # also for root
    with pytest.raises(data.DataError, match=r"cannot be written. Remedy: "):
        write_grades([result("anna")], tmp_path / "new/below")
    with pytest.raises(data.DataError, match=r"cannot be written. Remedy: "):
        archives.make(tmp_path / "new/below", 99, {})
    assert everything(tmp_path) == {"file": b"mine"}


def test_a_folder_without_submissions_writes_nothing(made, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    call = ["grade", str(tmp_path / "in"), "--key", str(made.out / "instructor/lab_4")]
    assert __main__.main([*call, "--out", str(tmp_path / "out")]) == 1
    assert "holds no submission. Remedy: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_lab_can_be_told_by_its_items():
    labs = lab_files.labs()
    for lab in labs:
        for other in labs:
            assert lab is other or not set(lab.items) <= set(other.items)
            assert lab is other or not set(lab.written) & set(other.written)


def test_the_same_course_again_changes_nothing_and_another_is_refused(made, named, tmp_path):
    out = shutil.copytree(made.out, tmp_path / "out")
    (out / "instructor/lab_4/my_notes.txt").write_text("mine", "utf-8")
    before = everything(out)
    (out / "student.zip").unlink()  # as if the run had been killed before the last file
    archives.make(out, 99, named)
    assert everything(out) == before
    with pytest.raises(data.DataError, match=r"the course of the seed 99.* Remedy: move it away"):
        archives.make(out, 100, named)
    assert everything(out) == before


def test_a_course_with_other_content_is_refused(made, named, tmp_path, monkeypatch):
    out = tmp_path / "out"
    shutil.copytree(made.out / "instructor/lab_4", out / "instructor/lab_4")
    key = out / "instructor/lab_4/key.json"
    key.write_text(key.read_text("utf-8").replace('"seed": 99,', ""), "utf-8")  # of an older one
    before = everything(out)

    def lay_out(folder, seed, named):
        shutil.copytree(made.out, folder, dirs_exist_ok=True)
        return made.rows

    monkeypatch.setattr(archives, "_lay_out", lay_out)
    with pytest.raises(data.DataError, match=r"another instructor/lab_4/key.json.* Remedy: "):
        archives.make(out, 99, named)
    assert everything(out) == before


@pytest.mark.parametrize("where", ["new", "link", "."])
def test_a_folder_with_anything_else_is_refused(tmp_path, monkeypatch, where, capsys):
    (tmp_path / "new").mkdir()
    (tmp_path / "new/thesis.txt").write_text("my only copy", "utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "new")
    monkeypatch.chdir(tmp_path / "new")
    monkeypatch.setattr(ledger, "ledger", lambda *_: pytest.fail("it was begun"))
    out = where if where == "." else str(tmp_path / where)
    assert __main__.main(["course", "--seed", "7", "--out", out]) == 1
    assert (
        f"{out} holds thesis.txt, which is no part of a course. Remedy: " in capsys.readouterr().err
    )
    assert everything(tmp_path) == {"new/thesis.txt": b"my only copy"}


# ---- pages and slides ------------------------------------------------------------------------


def test_session_pages_have_their_parts_and_the_quiz_without_scripts(pages):
    for one in sessions():
        page = pages[f"book/course/session_{one['number']}.html"]
        heads = [head.get_text().rstrip("#") for head in page.select("article h2")]
        assert heads[:3] == ["The question", "You will be able to", "Time plan"]
        options = sum(len(q["options"]) for q in quiz() if q["session"] == one["number"])
        assert len(page.select("details.quiz > summary")) == options
        assert one["notes"]["good_exit"] not in page.get_text()
        assert page.select_one(f'a[href$="slides/session_{one["number"]}.html"]')
        for name in one["figures"]:
            (link,) = page.select(f'a[href$="#fig-{name}"]')
            target = pages[f"book/{link['href'].removeprefix('../').partition('#')[0]}"]
            assert target.select_one(f"#fig-{name}"), name


def test_the_guide_has_the_notes_of_each_session(pages):
    text = pages["book/course/instructor.html"].get_text()
    for one in sessions():
        assert f"Session {one['number']}: {one['title']}" in text
        assert one["notes"]["good_exit"][:40] in text


def test_slides_stand_alone_with_notes_and_alt_texts(html, named):
    for one in sessions():
        path = html / "slides" / f"session_{one['number']}.html"
        slides = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        sections = slides.select("section")
        assert len(sections) >= 12
        assert all(section.aside.get_text(strip=True) for section in sections)
        images = slides.select("img")
        assert len(images) == len(one["figures"])
        for image in images:
            assert len(image["alt"]) >= 40
            assert image["src"].startswith("data:image/")
        heads = [section.find(["h1", "h2"]).get_text() for section in sections]
        steps = [head for head in heads if head == "Walk-through"]
        assert len(steps) == len(one["walkthrough"])
        assert heads.index("What do you see?") > heads.index("Walk-through")
        assert all(section.nav.button for section in sections)
        assert "{{" not in slides.get_text()
        assert "{ref}" not in slides.get_text()
        assert not slides.select('link:not([href^="data:"]), script[src]')


def test_a_figure_that_no_page_has_is_an_error(html):
    with pytest.raises(ValueError, match="nonsense"):
        slides.built_figure("nonsense", html)
    with pytest.raises(ValueError, match="nonsense"):
        figure_chapter("nonsense")
