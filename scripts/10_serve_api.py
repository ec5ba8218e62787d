"""Answer the jobs of Rescue Box over HTTP: ingest a folder of photos; search by text, photo or face.

10_serve_api.py                                 prints the address; Ctrl-C stops the server
10_serve_api.py --port 9000
"""

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    group = parser.add_argument_group("server")
    group.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on; default: 127.0.0.1. Only addresses of this machine alone are accepted",
    )
    group.add_argument(
        "--port", type=cli.parse_port, default=5000, metavar="N", help="default: 5000; 0: any free port"
    )
    return parser.parse_args()


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    from imagesearch.api import ApiOptions, serve

    serve(config, ApiOptions(args.host, args.port))


if __name__ == "__main__":
    cli.run_script(main)
