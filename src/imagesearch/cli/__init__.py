"""Shared by the numbered scripts: their options, the console, and answers printed as lines of text.

Start at `make_parser` and `run_script`. Nothing slow is imported here, so that ``--help`` and an error in a
setting are shown without delay.
"""

from imagesearch.cli.arguments import (
    add_figure_options,
    add_filter_options,
    add_photo_options,
    add_server_options,
    add_typed_options,
    choose_folder_change,
    join_negative_values,
    load_config_of,
    make_criteria,
    make_parser,
    open_dataset,
    parse_conversion,
    parse_photo_options,
    parse_sentence_arguments,
)
from imagesearch.cli.console import (
    print_json,
    print_note,
    read_password,
    read_reply,
    report_failures,
    report_photos,
    run_script,
    show_progress,
)
from imagesearch.cli.duplicates import add_duplicate_options, print_duplicates
from imagesearch.cli.history import parse_undo_numbers, print_history, undo_decisions
from imagesearch.cli.marking import add_marking_options
from imagesearch.cli.name_updates import update_collections
from imagesearch.cli.naming import ask_names, check_typed_name, print_outcomes
from imagesearch.cli.option_values import (
    check_figure_file,
    make_figure_reader,
    make_number_reader,
    parse_face_count,
    parse_label_count,
    parse_milvus_uri,
    parse_result_count,
)
from imagesearch.cli.people_edits import (
    ask_new_names,
    edit_people,
    has_people_edits,
    report_stored_edits,
)
from imagesearch.cli.printing import (
    print_answer,
    print_classes,
    print_ignored,
    print_people,
    print_saved_queries,
    print_trips,
)
from imagesearch.cli.prompt import (
    open_file,
    raise_errors,
    read_more,
    read_queries,
    read_ranks_to_open,
    split_options,
)
from imagesearch.cli.suggestions import add_suggest_option, ask_pairs, ask_suggestions, report_suggestions
from imagesearch.cli.trip_names import edit_trips, is_about_trips, name_trips, report_stored_trips
from imagesearch.cli.xmp_names import export_xmp

__all__ = [
    "add_duplicate_options",
    "add_figure_options",
    "add_filter_options",
    "add_marking_options",
    "add_photo_options",
    "add_server_options",
    "add_suggest_option",
    "add_typed_options",
    "ask_names",
    "ask_new_names",
    "ask_pairs",
    "ask_suggestions",
    "check_figure_file",
    "check_typed_name",
    "choose_folder_change",
    "edit_people",
    "edit_trips",
    "export_xmp",
    "has_people_edits",
    "is_about_trips",
    "join_negative_values",
    "load_config_of",
    "make_criteria",
    "make_figure_reader",
    "make_number_reader",
    "make_parser",
    "name_trips",
    "open_dataset",
    "open_file",
    "parse_conversion",
    "parse_face_count",
    "parse_label_count",
    "parse_milvus_uri",
    "parse_photo_options",
    "parse_result_count",
    "parse_sentence_arguments",
    "parse_undo_numbers",
    "print_answer",
    "print_classes",
    "print_duplicates",
    "print_history",
    "print_ignored",
    "print_json",
    "print_note",
    "print_outcomes",
    "print_people",
    "print_saved_queries",
    "print_trips",
    "raise_errors",
    "read_more",
    "read_password",
    "read_queries",
    "read_ranks_to_open",
    "read_reply",
    "report_failures",
    "report_photos",
    "report_stored_edits",
    "report_stored_trips",
    "report_suggestions",
    "run_script",
    "show_progress",
    "split_options",
    "undo_decisions",
    "update_collections",
]
