"""What the numbered scripts share: arguments, the console, and answers as lines of text.

Imports nothing heavy, so that ``--help`` and a mistyped setting answer at once.
"""

from imagesearch.cli.arguments import (
    add_figure_options,
    add_filter_options,
    add_photo_options,
    check_figure_file,
    join_negative_values,
    load_config_of,
    make_criteria,
    make_parser,
    parse_face_count,
    parse_figure_path,
    parse_result_count,
)
from imagesearch.cli.console import (
    print_json,
    print_note,
    read_queries,
    read_reply,
    report_failures,
    run_script,
    show_progress,
)
from imagesearch.cli.printing import print_answer, print_classes, print_people

__all__ = [
    "add_figure_options",
    "add_filter_options",
    "add_photo_options",
    "check_figure_file",
    "join_negative_values",
    "load_config_of",
    "make_criteria",
    "make_parser",
    "parse_face_count",
    "parse_figure_path",
    "parse_result_count",
    "print_answer",
    "print_classes",
    "print_json",
    "print_note",
    "print_people",
    "read_queries",
    "read_reply",
    "report_failures",
    "run_script",
    "show_progress",
]
