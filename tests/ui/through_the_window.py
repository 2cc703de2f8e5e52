"""The whole way through the real window, by an X server's mouse and keys, with pictures.

    xvfb-run -a -s "-screen 0 1600x1000x24" \\
        python -m tests.ui.through_the_window tweets|clickbait TABLE.csv.gz FOLDER

Wires the headline model on an empty canvas, binds the table, trains, kills one training process,
trains again, keeps the best epoch, types a text of its own, saves, opens the file anew, exports,
and leaves pictures and files in FOLDER. Needs xdotool and ImageMagick's ``import``. Not a test:
it takes minutes, and somebody has to look at the pictures.
"""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from studio.document.canonical import canonical
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.ui.app import prepare
from studio.ui.data_dock import DataDock
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.try_dock import TryDock
from studio.ui.window import MainWindow
from tests.ui.person import Person, XHand, settle, wire_the_headline

TABLES = {
    "tweets": {
        "text": "text",
        "numbers": ("hour", "weekday", "year", "replies", "favorites"),
        "label": "popular",
        "split": "random",
        "metric": "AUC",
        "epochs": 6,
        "try": "Tomorrow we will build a great bridge together. Thank you all!",
    },
    "clickbait": {
        "text": "headline",
        "numbers": ("n_words", "n_chars", "has_digit", "n_caps", "has_question"),
        "label": "clickbait",
        "split": "last",
        "metric": "Accuracy",
        "epochs": 2,
        "try": "17 Things Only People Who Love Bridges Will Understand",
    },
}


def ahead(seconds: float, *steps: str) -> None:
    """Do these shell lines later: a dialog that opens holds this process in its own loop."""
    subprocess.Popen(["sh", "-c", f"sleep {seconds}; " + "; ".join(steps)])


def main(which: str, table: Path, folder: Path) -> None:
    plan = TABLES[which]
    folder.mkdir(parents=True, exist_ok=True)
    app = QApplication([])
    settings = Settings()
    prepare(app, settings)
    window = MainWindow(settings, Session(Project()))
    window.setGeometry(0, 0, 1600, 1000)
    window.show()
    settle(1.0)
    person = Person(window, XHand())

    def picture(name: str) -> None:
        settle(0.4)
        subprocess.run(["import", "-window", "root", str(folder / f"{name}.png")], check=True)

    picture("01-empty")
    wire_the_headline(person)
    person.hand.key("ctrl+l")
    person.hand.key("ctrl+shift+f")
    same = canonical(window.session.document) == canonical(EXAMPLES["headline"]())
    print("drawn by mouse equals the example:", same)
    for name in ("main_output", "aux_output"):
        person.select(name)
        (form,) = person.page.plans.values()
        person.choose(person.show(form.metrics.adder), str(plan["metric"]))
    picture("02-wired")

    # -- data
    person.raise_dock("data")
    dock = window.findChild(DataDock)
    ahead(1.2, f"xdotool type --delay 8 {shlex.quote(str(table))}", "xdotool key Return")
    person.choose(dock.source, "file")
    person.until(lambda: dock.look.table is not None and dock.look.table.rows > 4000)
    bind(person, dock, plan)
    settle(1.0)
    picture("03-data")

    # -- train; the first process is killed by hand
    person.raise_dock("training")
    person.select_nothing()
    training = window.training
    person.write(training.epochs, str(plan["epochs"]))
    person.hand.key("F5")
    person.until(lambda: training.training.pid is not None, 30)
    settle(5.0)
    pid = training.training.pid
    os.kill(pid, signal.SIGKILL)
    person.until(lambda: not training.running)
    picture("04-killed")
    person.hand.key("F5")
    settle(12.0)
    picture("05-training")
    person.until(lambda: not training.running, 900)
    picture("06-trained")
    run = window.session.project.runs[-1]
    best = {k: round(v[run.best_epoch], 4) for k, v in run.history.items()}
    print("best epoch", run.best_epoch + 1, "of", len(run.history["loss"]), best)
    if training.choice.isVisible():
        person.click(training.choice.button)
    picture("07-best")

    # -- try it
    person.raise_dock("try")
    attempt = window.findChild(TryDock)
    person.write(attempt.fields[plan["text"]], str(plan["try"]))
    settle(1.5)
    picture("08-try")

    # -- save, reopen, export
    project, onnx = folder / f"{which}.loom", folder / f"{which}.onnx"
    for path in (project, onnx):
        path.unlink(missing_ok=True)
    ahead(1.2, "xdotool key ctrl+a", f"xdotool type --delay 8 {project}", "xdotool key Return")
    person.hand.key("ctrl+s")
    person.until(project.is_file)
    settle(0.5)
    ahead(1.2, "xdotool key ctrl+a", f"xdotool type --delay 8 {project}", "xdotool key Return")
    saved = window.session
    window.close_tab()  # opened again while it is open, its tab would only be raised
    settle(0.3)
    person.tool("Open")  # without a window manager no key reaches the window after a dialog
    person.until(lambda: window.session is not saved and window.session.path == project)
    picture("09-reopened")
    person.raise_dock("try")
    attempt = window.findChild(TryDock)
    person.write(attempt.fields[plan["text"]], str(plan["try"]))
    settle(1.5)
    picture("10-try-again")
    ahead(
        1.2,
        "xdotool key ctrl+a",
        f"xdotool type --delay 8 {onnx}",
        "xdotool key Return",
        "sleep 6",
        f"import -window root {folder}/11-export.png",
        "xdotool key Return",
        "sleep 2",
        f"import -window root {folder}/12-exported.png",
        "xdotool key Escape",
    )
    person.tool("Export")
    person.until(onnx.is_file, 60)
    settle(8.0)
    print("exported", onnx.stat().st_size, "bytes")
    window.session.saved(project)
    window.close()


def bind(person: Person, dock: object, plan: dict[str, object]) -> None:
    """Choose the kind and the columns of every port."""
    names = {"main_input": "text", "aux_input": "numbers"}
    for row in list(dock._rows):
        editor = dock._rows[row]
        kind = names.get(editor._port.name, "classes")
        show = lambda widget: (dock.ports_scroll.ensureWidgetVisible(widget), settle())  # noqa: E731
        show(editor.kind)
        person.choose(editor.kind, editor.kind.itemText(editor.kind.findData(kind)))
        editor = dock._rows[row]
        if kind == "numbers":
            tick(person, dock, row, plan["numbers"], show)
        else:
            column = editor.editor("column")
            show(column)
            person.choose(column, str(plan["text" if kind == "text" else "label"]))


def tick(person: Person, dock: object, row: str, wanted: object, show: object) -> None:
    """Tick exactly these columns in the list that opens."""
    editor = dock._rows[row].editor("columns")
    show(editor)
    ahead(1.0, "xdotool key Escape")
    person.click(editor)  # once to see where its rows are
    acts = []
    for index in range(editor.list.count()):
        item = editor.list.item(index)
        if (item.checkState() == Qt.CheckState.Checked) != (item.text() in wanted):
            at = editor.list.viewport().mapToGlobal(editor.list.visualItemRect(item).center())
            acts.append(f"xdotool mousemove {at.x()} {at.y()} click 1; sleep 0.3")
    ahead(1.0, *acts, "xdotool key Escape")
    person.click(editor)
    settle(0.5)
    assert set(dock._rows[row]._port.binding.columns) == set(wanted)
    assert dock._rows[row]._port.binding.scaling == "standardize"


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
