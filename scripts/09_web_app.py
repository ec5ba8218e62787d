"""Search the photos in a browser.

09_web_app.py                                   opens the browser; Ctrl-C stops the server
09_web_app.py --port 9000 --no-show             prints the address only
"""

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    group = parser.add_argument_group("server")
    group.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="default: 127.0.0.1")
    group.add_argument("--port", type=int, default=8765, metavar="N", help="default: 8765; 0: any free port")
    group.add_argument("--no-show", action="store_true", help="do not open the browser")
    return parser.parse_args()


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    from imagesearch import open_library
    from imagesearch.web import WebOptions, serve

    with open_library(config) as library:
        serve(library, WebOptions(args.host, args.port, opens_browser=not args.no_show))


if __name__ == "__main__":
    cli.run_script(main)
