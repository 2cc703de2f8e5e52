"""Qt's own texts, those of its file dialogs and context menus, in the language in use."""

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

_installed: list[QTranslator] = []


def use_qt_texts(language: str) -> None:
    """Let Qt speak `language`; English is what it speaks by itself."""
    application = QCoreApplication.instance()
    if application is None:
        return
    while _installed:
        application.removeTranslator(_installed.pop())
    if language == "en":
        return
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    translator = QTranslator()
    if translator.load(QLocale(language), "qtbase", "_", folder):
        application.installTranslator(translator)
        _installed.append(translator)
