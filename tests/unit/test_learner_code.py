"""Tests that would run what a learner wrote, wherever they run, as their text tells."""

from __future__ import annotations

import pytest

from graders.referee.analysis import obstacles

pytestmark = pytest.mark.quick

RUNS = [
    "import pickle\npickle.load(open('m.pkl', 'rb'))",
    "from pickle import loads as read\nread(text)",
    "import dill as d\nd.loads(text())",
    "from joblib import load\nload('model')",
    "import shelve\nshelve.open('x')",
    "import marshal\nmarshal.loads(b)",
    "np.load('a.npy', allow_pickle=True)",
    "import numpy\nnumpy.load('a.npy', **options)",
    "pd.read_pickle('x')",
    "from pandas import read_hdf\nread_hdf('x')",
    "eval(formula())",
    "exec(open('answer.py').read())",
    "compile(text, 'x', 'exec')",
    "import builtins\nbuiltins.exec(text)",
    "import runpy\nrunpy.run_path('answer.py')",
    "__import__(name)",
    "import importlib\nimportlib.import_module(name)",
    "from importlib.util import spec_from_file_location\nspec_from_file_location('a', 'answer.py')",
    "import subprocess, sys\nsubprocess.run([sys.executable, 'hello.py'])",
    "from subprocess import check_output\ncheck_output('x')",
    "import os\nos.system('x')",
    "from multiprocessing.pool import Pool\nPool(2)",
    "from concurrent.futures import ProcessPoolExecutor\nProcessPoolExecutor()",
    "from unittest import mock\nmock.patch.object(random, 'random')",
    "from unittest.mock import patch\npatch.dict(values)",
]
HARMLESS = [
    "import re\nre.compile(pattern)",
    "frame.eval('a + b')\nframe.query('a > 1')",
    "np.load('a.npy')\nnp.load('a.npy', allow_pickle=False)",
    "eval('1 + 1')",
    "import json, os\njson.load(open('a.json'))\nos.path.exists('a')\nos.listdir('.')",
    "pickle = 3\nassert pickle == 3",
    "code.split(sep)",
    "from importlib.metadata import version\nversion(name)",
    "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor()",
]


@pytest.mark.parametrize("test", RUNS)
def test_a_test_that_would_run_what_a_learner_wrote_is_no_referees(test: str) -> None:
    assert obstacles(test)


@pytest.mark.parametrize("test", HARMLESS)
def test_what_only_reads_is_the_referees(test: str) -> None:
    assert obstacles(test) == ()


def test_where_an_object_lies_in_memory_is_no_question_for_another_process() -> None:
    assert obstacles("assert id(first) == id(second)")
    assert obstacles("for id, name in people:\n    print(id)") == ()


def test_what_the_notebook_imports_under_another_name_is_known() -> None:
    assert obstacles("p.load(file)") == ()
    assert obstacles("p.load(file)", {"p": "import pickle as p"})
