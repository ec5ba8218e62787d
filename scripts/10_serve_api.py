"""Answer the jobs of Rescue Box over HTTP: ingest a folder of photos; search by text, photo or face.

10_serve_api.py                                 prints the address; Ctrl-C stops the server
10_serve_api.py --port 9000
"""

from imagesearch import cli


def parse_arguments():
    parser = cli.make_parser(__doc__)
    cli.add_server_options(
        parser,
        "address to listen on; default: 127.0.0.1. Only addresses of this machine alone are accepted",
        port=5000,
    )
    return parser.parse_args()


def main():
    args = parse_arguments()
    config = cli.load_config_of(args)
    from imagesearch.api import ApiOptions, serve

    serve(config, ApiOptions(args.host, args.port))


if __name__ == "__main__":
    cli.run_script(main)
