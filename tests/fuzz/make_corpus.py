"""Makes the seeds of the fuzz targets: a folder for each target, with a few small inputs. Where the
format has words, these are in FOLDER/TARGET.dict.

    python3 make_corpus.py FOLDER
"""
import base64
import json
import pathlib
import struct
import sys
import zlib

SEPARATOR = b"\xff\x00"  # of the parts of an input: see parts_of in target.h


def safetensors(entries, data, metadata=None):
    header = {"__metadata__": metadata} if metadata else {}
    for name, dtype, shape, begin, end in entries:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def safetensors_seeds():
    yield safetensors([("w", "F32", [2, 2], 0, 16), ("n", "I64", [], 16, 24)], bytes(range(24)), {"a": "é"})
    yield safetensors([("w", "F16", [2, 2], 0, 8)], bytes(8))
    for dtype, width in [("F64", 8), ("BF16", 2), ("U64", 8), ("I32", 4), ("U8", 1), ("BOOL", 1), ("F8_E4M3", 1)]:
        yield safetensors([("x", dtype, [3], 0, 3 * width)], bytes(range(3 * width)))
    yield safetensors([("f", "F4", [2], 0, 1), ("e", "F32", [0], 1, 1)], b"\x12")
    yield safetensors([], b"")


def checkpoint_seeds():
    number = lambda x: struct.pack("<q", x)
    text = lambda s: number(len(s)) + s
    listed = lambda items: number(len(items)) + b"".join(items)
    tensor = lambda name, dims: text(name) + listed([number(d) for d in dims]) + b"\0\0\x80\x3f" * max(1, dims[0] if dims else 1)
    state = struct.pack("<4Q", 1, 2, 3, 4)
    for command, tensors in [([b"mnist_mlp", b"--epochs", b"2"], [tensor(b"w", [2])]), ([], [tensor(b"s", [])])]:
        payload = (listed([text(word) for word in command]) + text(b"note") + text(b"model") +
                   listed([text(b"rng") + state]) + number(3) + number(2) + number(20) + state + state +
                   struct.pack("<dqqd", 0.5, 3, 10, 0.25) + listed(tensors) + listed([]))
        # The target repairs checksums and lengths.
        yield b"PRIMERCK" + struct.pack("<IIIIQI", 0x01020304, 1, 4, 0, len(payload), 0) + payload


def json_seeds():
    yield b'{"s": "a\\n\\u00e9\\ud83d\\ude00", "n": 12, "a": [1, 2, 3]}'
    yield '{"o": {"sé": "x"}, "n2": 9223372036854775807}  '.encode()
    yield b"{}"


def png(width, height, depth, colour, interlaced=0, level=0, extra=b""):
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    rows = b"".join(bytes([y % 5]) + bytes((x * 7 + y) % 256 for x in range((width * bits + 7) // 8)) for y in range(height))
    if interlaced:
        rows = bytes(2 * len(rows) + 8 * height)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)) +
            extra + chunk(b"IDAT", zlib.compress(rows, level)) + chunk(b"IEND", b""))


# Where a camera was held: a directory of two entries, of which the second is the orientation.
def exif(orientation, order="<"):
    return (b"II" if order == "<" else b"MM") + struct.pack(
        order + "HIH HHIHH HHIHH I", 42, 8, 2, 0x100, 3, 1, 5, 0, 0x112, 3, 1, orientation, 0, 0)


def png_seeds():
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + b"\0\0\0\0"  # not looked at
    palette = chunk(b"PLTE", bytes(range(48)))
    for depth, colour in [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (8, 4), (16, 4), (8, 6), (16, 6)]:
        yield png(5, 4, depth, colour)
    for depth in (1, 2, 4, 8):
        yield png(6, 5, depth, 3, extra=palette + chunk(b"tRNS", b"\0\x80"))
    yield png(7, 7, 8, 2, interlaced=1)
    yield png(9, 9, 8, 2, level=9)
    yield png(4, 4, 8, 2, extra=chunk(b"tRNS", bytes(6)))
    yield png(5, 4, 8, 0, extra=chunk(b"eXIf", exif(6)))
    yield png(5, 4, 8, 0, extra=chunk(b"eXIf", exif(3, ">")))


# Pictures of 12 x 10 pixels, as Pillow writes them.
JPEG = {
    "grey":
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQ"
        "c1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/wAALCAAKAAwBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABP/EAB8QAAIA"
        "BQUAAAAAAAAAAAAAAAABAgMEESEFIjEyQf/aAAgBAQAAPwAEihv4Og07b1F0yWMIY0r8H//Z",
    "colour":
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQ"
        "c1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk"
        "pKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAKAAwDASIAAhEBAxEB/8QAFAABAAAAAAAAAAAAAAAAAAAA"
        "BP/EAB8QAAIABQUAAAAAAAAAAAAAAAABAgMEESEFIjEyQf/EABUBAQEAAAAAAAAAAAAAAAAAAAAE/8QAGhEAAQUB"
        "AAAAAAAAAAAAAAAAAQACBBESA//aAAwDAQACEQMRAD8ABIob+DoNO29RdMljCGNK/BMemWaItIsh9L//2Q==",
    "progressive":
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQ"
        "c1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk"
        "pKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wgARCAAKAAwDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAA"
        "AwT/xAAVAQEBAAAAAAAAAAAAAAAAAAAAA//aAAwDAQACEAMQAAABndmk/8QAGBAAAgMAAAAAAAAAAAAAAAAAAAIB"
        "EBP/2gAIAQEAAQUChDMWv//EABYRAQEBAAAAAAAAAAAAAAAAAAMAAf/aAAgBAwEBPwEk2//EABcRAAMBAAAAAAAA"
        "AAAAAAAAAAABERL/2gAIAQIBAT8B1FT/xAAUEAEAAAAAAAAAAAAAAAAAAAAg/9oACAEBAAY/Ah//xAAYEAACAwAA"
        "AAAAAAAAAAAAAAAAARAhMf/aAAgBAQABPyE1TJf/2gAMAwEAAgADAAAAEMv/xAAVEQEBAAAAAAAAAAAAAAAAAAAA"
        "Ef/aAAgBAwEBPxCF/8QAFxEBAAMAAAAAAAAAAAAAAAAAAQARIf/aAAgBAgEBPxB0i5//xAAaEAACAgMAAAAAAAAA"
        "AAAAAAAAAREhEDFB/9oACAEBAAE/EJuYxVVIaU6P/9k=",
    "restart":
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQ"
        "c1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk"
        "pKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAKAAwDAREAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAA"
        "BAEF/8QAHxAAAgAFBQAAAAAAAAAAAAAAAAECAwQRIQUiMTJB/8QAGAEAAgMAAAAAAAAAAAAAAAAAAQUCAwT/xAAd"
        "EQACAQQDAAAAAAAAAAAAAAAAAwECBBEhEhMi/90ABAAB/9oADAMBAAIRAxEAPwAEihv4UxVyAl5//9CQadt6kOvI"
        "wpuNH//RVTJYwjIkWKk//9LWaV+BZc7bIVz5P//Z",
    "cmyk":
        "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAbEhQXFBEbFxYXHhwbIChCKyglJShROj0wQmBVZWRfVV1baniZgWpxkHNb"
        "XYW1hpCeo6utq2eAvMm6pseZqKuk/8AAFAgACgAMBEMRAE0RAFkRAEsRAP/EABkAAAMAAwAAAAAAAAAAAAAAAAAF"
        "BgIDBP/EACQQAAIABAUFAQAAAAAAAAAAAAABAgQFEgMRFSFBEyIzUWLB/9oADgRDAE0AWQBLAAA/AF1L4OPSPkSS"
        "kr1stimKiX8SDSPka4dDugTsAl6XwVFq9I10RLt2AqJfxILV6RhW+6qYqi3UKhSz4Vqf6wP/2Q==",
}


def jpeg_seeds():
    pictures = [base64.b64decode(text) for text in JPEG.values()]
    yield from pictures
    for order, orientation in ("<", 6), (">", 3):
        contents = b"Exif\0\0" + exif(orientation, order)
        yield pictures[0][:2] + b"\xff\xe1" + struct.pack(">H", len(contents) + 2) + contents + pictures[0][2:]


def bmp_seeds():
    for bits, compression, header in [(1, 0, 40), (4, 0, 40), (8, 0, 40), (16, 0, 40), (24, 0, 40), (32, 0, 40),
                                      (24, 0, 12), (16, 3, 40), (32, 3, 108), (32, 3, 124)]:
        width, height = 5, 4
        colours = 1 << bits if bits <= 8 else 0
        if header == 12:
            info = struct.pack("<IHHHH", 12, width, height, 1, bits)
        else:
            info = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
            info += struct.pack("<IIII", 0x7C00, 0x3E0, 0x1F, 0)[:max(0, header - 40)] + bytes(max(0, header - 56))
            if compression == 3 and header == 40:
                info += struct.pack("<III", 0x7C00, 0x3E0, 0x1F)
        table = bytes(range(min(colours, 64) * 4 % 256)).ljust(colours * 4, b"\x40")
        offset = 14 + len(info) + len(table)
        pixels = bytes(range(256))[:(width * bits + 31) // 32 * 4 * height]
        yield b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + info + table + pixels


def pnm_seeds():
    for head, count in [(b"P5\n4 3\n255\n", 12), (b"P6 4 3 255\n", 36), (b"P5\n# a comment\n4 3\n65535\n", 24), (b"P6\n2 2\n7\n", 12)]:
        yield head + bytes(range(count))


def digits_seeds():
    # See digits.cpp: two sizes, the channels and which of the two functions, and pixels.
    stroke = bytearray(b"\xff" * 9 * 9)
    for row in range(2, 7):
        stroke[9 * row + 4:9 * row + 6] = b"\x10\x20"
    stroke[72] = 0  # a speck
    for kind in range(4):
        yield bytes([8, 8, kind]) + bytes(stroke)
    yield bytes([9, 6, 1]) + bytes(range(90))
    yield bytes([0, 0, 0, 7])
    for size in ([250, 3], [3, 255]):
        yield bytes(size + [0]) + b"\xff" * 30 + b"\x10\x00\x20" + b"\xff" * 50


def mnist_seeds():
    # See mnist.cpp: the number of blank pictures that follow the first part.
    for count, labels in [(1, b"\x07"), (2, b"\x07\x01")]:
        yield (bytes([count]) + struct.pack(">IIII", 0x803, count, 28, 28) + SEPARATOR +
               struct.pack(">II", 0x801, count) + labels)
    yield b"\0\x1f\x8b" + SEPARATOR + struct.pack(">II", 0x801, 1)
    yield b"\1" + struct.pack(">II", 0x801, 784) + SEPARATOR + struct.pack(">II", 0x801, 1)


def cifar_seeds():
    # See cifar.cpp: the form, by how many bytes the length is wrong, and labels.
    yield b"\0\0\x03"
    yield b"\0\0\x03\x05"
    yield b"\1\0\x13\x63"
    yield b"\2\0\x13\x63\x01\x02"
    yield b"\0\x02\x1f"
    yield b"\0\xff\x03"
    yield b"\0\x03"
    yield b"\1\0\x1f\x8b"


def csv_seeds():
    yield b"1,2.5,-3e2\n4,5,6\n"
    yield b'\xef\xbb\xbf"size", price \r\n 1 , 2 \r\n\r\n3,4'
    yield b"7"


def report_seeds():
    head = {"example": "mnist_mlp", "command": ["mnist_mlp", "--lr", "0.1"], "started": "2026-01-31 12:00:00",
            "settings": {"epochs": 2, "batch-size": 64}, "machine": {"threads": 2},
            "data": {"source": "s", "shape": [1, 28, 28], "train": 100, "test": 10, "classes": ["a", "b"]},
            "model": {"summary": "m", "parameters": 10}}
    step = {"kind": "step", "step": 1, "loss": 0.5, "lr": 0.1, "images_per_s": 9.5, "gradient_norms": {"w": 0.25}}
    epoch = {"kind": "epoch", "epoch": 1, "step": 2, "train_loss": 0.5, "train_accuracy": 0.5, "test_loss": 0.4,
             "test_accuracy": 0.75, "seconds": 1.5, "images_per_s": 10, "dead_units": {"r": 0.1}}
    evaluation = {"confusion": [[3, 1], [0, 4]], "filters": "f.png",
                  "mistakes": [{"index": 4, "truth": 0, "predicted": 1, "probability": 0.75, "picture": "m.png"}]}
    line = lambda x: json.dumps(x).encode() + b"\n"
    yield SEPARATOR.join([line(head), line(step) + line(epoch) + line(dict(epoch, epoch=2, step=4)), line(evaluation), png(2, 2, 8, 0)])
    yield SEPARATOR.join([line({}), line(step), b"", b""])


def flags_seeds():
    yield b"--epochs\n3\n--lr=0.5\n--dry-run\n--seed\n7"
    yield b"--batch-size\n0100\n--momentum\n-1"
    yield b"--help"
    yield b"--run-dir\n/nowhere\n--no-run-dir\n--save-every\n5\n--quiet\n--save-weights\n/tmp/w"


SEEDS = {
    "safetensors": safetensors_seeds, "checkpoint": checkpoint_seeds, "json": json_seeds, "png": png_seeds,
    "jpeg": jpeg_seeds, "bmp": bmp_seeds, "pnm": pnm_seeds,
    "digits": digits_seeds, "mnist": mnist_seeds, "cifar": cifar_seeds, "csv": csv_seeds, "report": report_seeds, "page": report_seeds, "flags": flags_seeds,
    "planted": lambda: [b"B"],
}

# The words that the readers compare with; a mutation inserts one somewhere.
REPORT = ("example command started settings machine data model source shape train test classes summary description "
          "parameters epochs batch_size batch-size kind step epoch loss lr images_per_s gradient_norms train_loss "
          "train_accuracy test_loss test_accuracy seconds dead_units confusion filters mistakes index truth predicted "
          "probability picture").split()
NUMBERS = ["-1", "1e308", "9007199254740993", "9223372036854775807", "18446744073709551615", "null", "true"]
WORDS = {
    "safetensors": ["__metadata__", '"dtype":', '"shape":', '"data_offsets":', "module.", "_orig_mod.", "_fsdp_wrapped_module.",
                    "model.", "n_averaged", "num_batches_tracked",
                    "F64", "F32", "F16", "BF16", "I64", "U64", "I32", "U32", "I16", "U16", "I8", "U8", "BOOL", "C64", "F4",
                    "F6_E2M3", "F8_E5M2"] + NUMBERS,
    "json": ["\\u", "\\ud83d\\ude00", "\\udc00", '"n":', '"s":', '"a":[', '"o":{', b"\xc3\xa9", b"\xf0\x9f\x98\x80", b"\xc0\x80"] + NUMBERS,
    "png": ["IHDR", "PLTE", "IDAT", "IEND", "tRNS", "CgBI", b"\x89PNG\r\n\x1a\n", b"\x78\x9c"],
    "jpeg": [bytes([0xFF, marker]) for marker in (0xC0, 0xC1, 0xC2, 0xC4, 0xD0, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xE0, 0xE1, 0xEE, 0xFE)] +
            [b"Exif\0\0II*\0\x08\0\0\0", b"Exif\0\0MM\0*\0\0\0\x08", b"\x12\x01\x03\0\1\0\0\0\6\0", "Adobe"],
    "pnm": ["P5", "P6", "#", "255", "65535", "16384", "4294967297"],
    "csv": [b",", b"\n", b"e-3", b"0.5", b"nan", b"\xef\xbb\xbf"],
    "mnist": [b"\x00\x00\x08\x03", b"\x00\x00\x08\x01", b"\x00\x00\x00\x1c", b"\x1f\x8b", SEPARATOR],
    "report": [f'"{word}":' for word in REPORT] + ['"step"', '"epoch"', "{}", "[]", SEPARATOR] + NUMBERS,
    "flags": ["--data", "--epochs", "--batch-size", "--test-batch-size", "--lr", "--momentum", "--weight-decay", "--seed",
              "--dry-run", "--checkpoint", "--save-every", "--save-required", "--run-dir", "--no-run-dir", "--quiet",
              "--save-weights", "--help", "-h", "--", "="] + NUMBERS,
}
WORDS["page"] = WORDS["report"]

for target, words in WORDS.items():
    lines = []
    for word in words:
        raw = word if isinstance(word, bytes) else word.encode()
        lines.append('"' + "".join(f"\\x{byte:02x}" for byte in raw) + '"\n')
    pathlib.Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    pathlib.Path(sys.argv[1], target + ".dict").write_text("".join(lines))

for target, seeds in SEEDS.items():
    folder = pathlib.Path(sys.argv[1], target)
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (folder / f"seed-{number:02}").write_bytes(seed)
# SPDX-License-Identifier: MIT
