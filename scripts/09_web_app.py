"""Search the photos in a browser.

09_web_app.py                                   opens the browser; Ctrl-C stops the server
09_web_app.py --port 9000 --no-show             prints the address only
09_web_app.py --host 0.0.0.0                    for other machines too; asks for a password
"""

import os

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    group = cli.add_server_options(
        parser,
        "address to listen on, 0.0.0.0 for all of them; default: 127.0.0.1, this machine alone. Another one "
        "requires a password, from the terminal or the environment variable IMAGESEARCH_PASSWORD",
        port=8765,
    )
    group.add_argument("--no-show", action="store_true", help="do not open the browser")
    return parser.parse_args()


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    from imagesearch import open_library
    from imagesearch.serving import is_loopback
    from imagesearch.web import WebOptions, check_web_installed, serve

    check_web_installed()
    # removed, because programs started by this one inherit the environment
    password = os.environ.pop("IMAGESEARCH_PASSWORD", "")
    if not password and not is_loopback(args.host):
        password = cli.read_password(f"Password for browsers, at least 8 characters ({args.host}): ")
    with open_library(config) as library:
        serve(library, WebOptions(args.host, args.port, password, opens_browser=not args.no_show))


if __name__ == "__main__":
    cli.run_script(main)
