"""A notice is shown once, wherever it can be remembered."""

import subprocess
import sys

import pytest

from holdfast.domains import _notice
from holdfast.domains._notice import Notice, show_once
from holdfast.plugins import find, names

STEW = Notice(name="stew", address="kitchen", licence="none", size="a pot", warning="hot", cite="the cook")


def forget(monkeypatch):
    """As another process begins."""
    monkeypatch.setattr(_notice, "_TOLD", set())


def test_once_for_a_user(capsys, home, monkeypatch):
    show_once(STEW)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == (
        "stew: hot\n  data     kitchen\n  licence  none\n  size     a pot\n  cite     the cook\n"
        "  This is shown once; `holdfast list domains stew` shows it again.\n"
    )
    for _ in range(2):
        show_once(STEW)
        forget(monkeypatch)
    assert capsys.readouterr().err == ""
    assert len(list((home / "seen").iterdir())) == 1


def test_another_licence_is_another_notice(capsys, monkeypatch):
    show_once(STEW)
    forget(monkeypatch)
    show_once(Notice(name="stew", address="kitchen", licence="some", size="a pot", warning="hot", cite="the cook"))
    assert "licence  some" in capsys.readouterr().err


def test_where_nothing_can_be_kept_each_process_shows_it_once(capsys, home, monkeypatch):
    home.parent.mkdir(exist_ok=True)
    home.write_text("a file in the way")
    for _ in range(2):
        show_once(STEW)
    assert capsys.readouterr().err.count("stew: hot") == 1


@pytest.mark.parametrize("name", sorted(set(names("domains")) - {"arcana", "jsonl"}))
def test_every_public_data_set_has_one_and_the_command_line_shows_it(name, capsys):
    from holdfast.cli.listing import listing

    notice = find("domains", name).NOTICE
    assert notice.name == name
    assert all((notice.address, notice.licence, notice.size, notice.warning, notice.cite))
    listing("domains", name)
    assert str(notice) in capsys.readouterr().out


def test_a_domain_is_found_without_what_reads_data():
    """Neither datasets nor transformers nor torch is imported to name a domain and its settings."""
    code = (
        "import sys; from holdfast import plugins\n"
        "for name in plugins.names('domains'): plugins.find('domains', name)()\n"
        "print([name for name in ('datasets', 'transformers', 'torch', 'rouge_score') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
