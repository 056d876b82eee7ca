"""utils.images and utils.montage: what is read, and what is refused."""

import errno
import io
import os
import re
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pyimagesearch.utils.images import (
    ImageError,
    check_image_suffix,
    decode_image,
    read_image,
    write_image,
)
from pyimagesearch.utils.montage import montage

WIDTH, HEIGHT = 48, 32
PICTURE = np.stack(
    [
        np.tile(np.arange(0, 240, 5, dtype=np.uint8), (HEIGHT, 1)),
        np.tile(np.arange(0, 160, 5, dtype=np.uint8)[:, None], (1, WIDTH)),
        np.full((HEIGHT, WIDTH), 200, np.uint8),
    ],
    axis=2,
)  # RGB, as Pillow saves it
FORMATS = {
    "jpg": {},
    "png": {},
    "bmp": {},
    "gif": {},
    "webp": {"lossless": True},
    "tif": {"compression": "tiff_lzw"},
}


def encoded(suffix, image=PICTURE, mode="RGB", **options):
    """Return the bytes of an image file."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image = image if mode is None else image.convert(mode)
    image.save(file, Image.registered_extensions()[f".{suffix}"], **options)
    return file.getvalue()


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


@pytest.mark.parametrize(
    ("suffix", "modes"),
    [
        ("jpg", ["RGB", "L", "CMYK"]),
        ("png", ["RGB", "L", "RGBA", "LA", "P", "1"]),
        ("bmp", ["RGB", "L", "P", "1"]),
        ("gif", ["L", "P"]),
        ("webp", ["RGB", "RGBA"]),
        ("tif", ["RGB", "L", "RGBA", "CMYK", "P", "1"]),
    ],
)
def test_pixels_are_those_of_imread(tmp_path, suffix, modes):
    for mode in modes:
        path = tmp_path / f"{mode}.{suffix}"
        path.write_bytes(encoded(suffix, mode=mode, **FORMATS[suffix]))
        image = read_image(path)
        assert image.dtype == np.uint8
        assert image.shape == (HEIGHT, WIDTH, 3)
        np.testing.assert_array_equal(image, cv2.imread(str(path), cv2.IMREAD_COLOR))


def test_channels_come_as_blue_green_red():
    np.testing.assert_array_equal(decode_image(encoded("png")), PICTURE[:, :, ::-1])


def test_grey_images_get_three_equal_channels():
    image = decode_image(encoded("png", mode="L"))
    np.testing.assert_array_equal(image[:, :, 0], image[:, :, 1])
    np.testing.assert_array_equal(image[:, :, 0], image[:, :, 2])


def test_sixteen_bits_are_scaled_to_eight():
    image = np.array([[0, 0x1234, 0xFFFF]], np.uint16)
    assert decode_image(encoded("png", image, mode=None))[0, :, 0].tolist() == [0, 0x12, 0xFF]


def test_alpha_is_dropped_not_blended():
    image = np.dstack([PICTURE, np.zeros((HEIGHT, WIDTH), np.uint8)])
    np.testing.assert_array_equal(decode_image(encoded("png", image, "RGBA")), PICTURE[..., ::-1])


def test_cmyk_red_is_red():
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    blue, green, red = decode_image(encoded("jpg", red, mode=None)).mean(axis=(0, 1))
    assert red > 200
    assert max(blue, green) < 60


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_exif_orientation_is_applied(tmp_path, suffix):
    path = tmp_path / f"turned.{suffix}"
    path.write_bytes(encoded(suffix, exif=exif(6), **FORMATS[suffix]))  # a quarter turn
    assert read_image(path).shape == (WIDTH, HEIGHT, 3)
    np.testing.assert_array_equal(read_image(path), cv2.imread(str(path)))


def test_file_names_may_hold_any_letters(tmp_path):
    path = tmp_path / "Kätzchen 猫.png"
    path.write_bytes(encoded("png"))
    assert read_image(str(path)).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("options", [{"progressive": True}, {"restart_marker_blocks": 1}])
def test_progressive_jpegs_and_restart_markers_pass(options):
    assert decode_image(encoded("jpg", **options)).shape == (HEIGHT, WIDTH, 3)


def test_jpegs_with_a_thumbnail_inside_or_bytes_behind_pass():
    thumbnail = encoded("jpg", PICTURE[:8, :8])
    comment = b"\xff\xfe" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    jpeg = encoded("jpg")
    whole = jpeg[:2] + comment + jpeg[2:] + b"trailing junk"
    np.testing.assert_array_equal(decode_image(whole), decode_image(jpeg))


def test_the_end_marker_of_a_thumbnail_does_not_hide_that_a_jpeg_is_cut():
    thumbnail = encoded("jpg", PICTURE[:8, :8])
    comment = b"\xff\xfe" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    jpeg = encoded("jpg")
    with pytest.raises(ImageError, match="truncated"):
        decode_image(jpeg[:2] + comment + jpeg[2:-20])


@pytest.mark.parametrize("padding", [b"", bytes(500)])
def test_a_jpeg_without_its_end_marker_is_truncated(padding):
    # zeros behind it: what a broken download into a file of the full size leaves
    with pytest.raises(ImageError, match=r"^cut\.jpg is truncated"):
        decode_image(encoded("jpg")[:-2] + padding, "cut.jpg")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about the TIFF header
def test_truncated_files_are_refused(suffix, share):
    data = encoded(suffix, **FORMATS[suffix])
    with pytest.raises(ImageError, match="photo"):
        decode_image(data[: int(len(data) * share)], "photo")


def test_a_changed_byte_in_a_png_is_found():
    data = bytearray(encoded("png"))
    data[60] ^= 1
    with pytest.raises(ImageError, match="damaged: wrong checksum"):
        decode_image(bytes(data))


@pytest.mark.parametrize("data", [b"not an image", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM"])
def test_what_is_no_image_is_refused_by_name(tmp_path, data):
    path = tmp_path / "cat.1.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=r"cat\.1\.jpg"):
        read_image(path)


def test_empty_and_missing_files_are_told_apart(tmp_path):
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(ImageError, match=r"empty\.jpg is empty \(0 bytes\)"):
        read_image(tmp_path / "empty.jpg")
    with pytest.raises(FileNotFoundError, match=r"missing\.jpg"):
        read_image(tmp_path / "missing.jpg")


@pytest.mark.parametrize("suffix", FORMATS)
def test_size_is_checked_before_decoding(monkeypatch, suffix):
    data = encoded(suffix, **FORMATS[suffix])
    assert decode_image(data, maxPixels=WIDTH * HEIGHT) is not None
    monkeypatch.setattr(cv2, "imdecode", lambda *args: pytest.fail("decoded"))
    with pytest.raises(ImageError, match=f"too large: {WIDTH}x{HEIGHT} pixels, more than 1,535"):
        decode_image(data, maxPixels=WIDTH * HEIGHT - 1)


def test_a_small_png_that_claims_to_be_huge_is_refused():
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [(header, 13), (b"IEND", 0)]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", size) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk, size in chunks
    )
    with pytest.raises(ImageError, match="60000x60000"):
        decode_image(data)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_a_tiff_of_floats_is_not_called_damaged_alone(tmp_path, channels):
    path = tmp_path / "depth.tif"
    cv2.imwrite(str(path), np.zeros((4, 5, *channels), np.float32))
    with pytest.raises(ImageError, match=r"depth\.tif cannot be .*8 or 16 bits"):
        read_image(path)


def test_a_written_picture_is_read_back(tmp_path):
    path = tmp_path / "new" / "Kätzchen.PNG"
    write_image(path, PICTURE)
    write_image(path, PICTURE[::-1])
    np.testing.assert_array_equal(read_image(path), PICTURE[::-1])
    assert [file.name for file in path.parent.iterdir()] == ["Kätzchen.PNG"]


@pytest.mark.parametrize("name", ["sheet.pdf", "sheet", ".png", "sheet.exr"])
def test_a_suffix_that_is_no_format_for_writing_is_refused(tmp_path, name):
    for refuse in (check_image_suffix, lambda path: write_image(path, PICTURE)):
        with pytest.raises(ValueError, match=re.escape(name) + ".*no format for the suffix"):
            refuse(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "image"),
    [("empty.png", PICTURE[:0]), ("wide.jpg", np.zeros((1, 70_000), np.uint8))],
)
def test_a_picture_its_format_does_not_take_leaves_the_old_one(tmp_path, name, image):
    path = tmp_path / name
    path.write_text("old")
    with pytest.raises(OSError, match=f"Cannot write the picture .*{name}"):
        write_image(path, image)
    assert path.read_text() == "old"


def test_a_full_disk_is_told_with_the_name_of_the_target(tmp_path, monkeypatch):
    path = tmp_path / "sheet.png"
    path.write_text("old")

    def full(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device") as error:
        write_image(path, PICTURE)
    assert error.value.errno == errno.ENOSPC
    assert error.value.filename == str(path)
    assert path.read_text() == "old"


# -- files made to take memory or time ---------------------------------------------------------


def png(*chunks, width=4, height=4, bits=8, colour=2):
    """Return a PNG file of chunks (kind, data) with right checksums, header and end included."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *chunks, (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def pixels(width=4, height=4, pixel=3):
    return b"IDAT", zlib.compress((b"\0" + bytes(width * pixel)) * height)


def announcing(jpeg, width, height):
    """Return a JPEG whose header says another size."""
    place = re.search(rb"\xff[\xc0-\xc2]\x00.\x08", jpeg).end()
    return jpeg[:place] + struct.pack(">HH", height, width) + jpeg[place + 4 :]


def test_a_jpeg_cannot_hide_its_size_behind_a_marker_without_length():
    # the decoder knows that FF 01 has none; who skips by a "length" lands on the second header
    huge, small = announcing(encoded("jpg"), 30_000, 30_000), encoded("jpg")
    hidden = b"\xff\xd8\xff\x01" + huge[2:]
    skipped = 4 + int.from_bytes(hidden[4:6], "big")
    hidden = hidden.ljust(skipped, b"\0") + small[2:]
    with pytest.raises(ImageError, match="truncated or damaged"):
        decode_image(hidden)


@pytest.mark.parametrize(
    "marker", [b"\xff\x01", b"\xff\xd0", b"\xff\xd8", b"\xff\x00", b"\xff\xbf"]
)
def test_markers_that_no_header_has_are_refused(marker):
    jpeg = encoded("jpg")
    with pytest.raises(ImageError, match="truncated or damaged"):
        decode_image(jpeg[:2] + marker + jpeg[2:])


def test_padding_and_comments_before_the_picture_are_no_harm():
    jpeg = encoded("jpg")
    padded = jpeg[:2] + b"\xff" * 1_000_000 + b"\xff\xfe\x00\x04hi" * 1000 + jpeg[2:]
    np.testing.assert_array_equal(decode_image(padded), decode_image(jpeg))


@pytest.mark.parametrize(
    "jpeg",
    [
        encoded("jpg", progressive=True),
        encoded("jpg", mode="L"),
    ],
)
def test_a_jpeg_of_very_many_scans_is_refused(jpeg):
    scan = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    some = jpeg[:-2] + scan * 80 + jpeg[-2:]
    assert decode_image(some).shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(ImageError, match="more than 100 scans"):
        decode_image(jpeg[:-2] + scan * 100 + jpeg[-2:])


def test_what_only_looks_like_scans_is_counted_right():
    jpeg = encoded("jpg", progressive=True)
    comment = b"\xff\xfe" + struct.pack(">H", 2 + 4000) + b"\xff\xda" * 2000
    place = jpeg.rindex(b"\xff\xda")
    between = jpeg[:place] + comment + jpeg[place:]
    for data in (between, jpeg + b"\xff\xda" * 2000):
        np.testing.assert_array_equal(decode_image(data), decode_image(jpeg))


def test_more_than_three_bytes_of_a_pixel_count():
    jpeg = encoded("jpg", mode="CMYK")
    assert decode_image(jpeg, maxPixels=WIDTH * HEIGHT * 4 // 3).shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(ImageError, match="48x32 pixels of 4 bytes, more than 2,047 of 3"):
        decode_image(jpeg, maxPixels=WIDTH * HEIGHT * 4 // 3 - 1)
    assert decode_image(encoded("png", mode="RGBA"), maxPixels=WIDTH * HEIGHT) is not None


def test_a_tiff_cannot_have_tiles_larger_than_the_limit():
    data, tags = zlib.compress(bytes(1000)), []
    for tag, value in [
        *((256, 4), (257, 4), (258, 8), (259, 8), (262, 1), (277, 1)),
        *((322, 16_000), (323, 16_000), (324, 0), (325, len(data))),
    ]:
        tags.append([tag, 4, 1, value])
    tags[8][3] = 8 + 2 + 12 * len(tags) + 4
    ifd = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    with pytest.raises(ImageError, match="too large: 16000x16000 pixels"):
        decode_image(b"II*\0" + struct.pack("<I", 8) + ifd + bytes(4) + data)


def test_picture_data_beyond_the_pixels_of_a_png_is_not_unpacked():
    packer = zlib.compressobj(9)
    start = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    megabytes = packer.compress(bytes(10_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    data = start + megabytes * 150  # the same again each time: it is flushed
    assert 2**20 < len(data) < 2**21
    halves = (b"IDAT", data[: 2**19]), (b"IDAT", data[2**19 :])
    with pytest.raises(ImageError, match="more picture data than its pixels take"):
        decode_image(png(*halves))


def test_a_large_png_of_noise_is_read():
    noise = np.random.default_rng(0).integers(0, 256, (700, 800, 3), np.uint8)
    for image in (noise, noise.astype(np.uint16) * 257):
        data = cv2.imencode(".png", image)[1].tobytes()
        assert len(data) > 2**20
        np.testing.assert_array_equal(decode_image(data), noise)


@pytest.mark.parametrize(
    "chunks",
    [
        [(b"IHDR", bytes(13)), pixels()],
        [(b"tEXt", b"a\0b"), (b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))],
    ],
)
def test_a_png_has_one_header(chunks):
    with pytest.raises(ImageError, match="a PNG begins with one header"):
        decode_image(png(*chunks))
    first_is_text = png(pixels()).replace(b"IHDR", b"tEXt")
    with pytest.raises(ImageError, match="checksum|one header"):
        decode_image(first_is_text)


def test_a_png_of_endless_chunks_is_refused():
    with pytest.raises(ImageError, match="stops before its end chunk"):
        decode_image(png(*[(b"teSt", b"")] * 100_001, pixels()))


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_packed_texts_and_profiles_take_no_memory(kind):
    bomb = kind, b"key\0\0" + zlib.compress(bytes(30_000_000), 9)
    assert decode_image(png(bomb, pixels())).shape == (4, 4, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"%PDF-1.4\n",
        b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(100),  # JPEG 2000
        b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 8 +X 8\n" + bytes(300),
        b"\x59\xa6\x6a\x95" + struct.pack(">7I", 8, 8, 24, 192, 1, 0, 0) + bytes(192),  # Sun raster
    ],
)
def test_formats_outside_the_list_are_refused(data):
    with pytest.raises(ImageError, match="cannot be read as an image"):
        decode_image(data)


def test_the_content_decides_on_the_format(tmp_path):
    path = tmp_path / "really.a.png"
    path.write_bytes(encoded("bmp"))
    assert read_image(path).shape == (HEIGHT, WIDTH, 3)
    path.write_bytes(b"P6 2 1 255\n" + bytes([1, 2, 3, 4, 5, 6]))
    assert read_image(path).tolist() == [[[3, 2, 1], [6, 5, 4]]]


def test_montage_fills_row_by_row_and_keeps_proportions():
    white = np.full((10, 20, 3), 255, np.uint8)  # twice as wide as high
    sheet = montage([white, white[:, :, 0], white], columns=2, size=(8, 8))
    assert sheet.shape == (16, 16, 3)
    cell = np.zeros((8, 8), np.uint8)
    cell[2:6] = 255
    np.testing.assert_array_equal(sheet[:8, :8, 0], cell)
    np.testing.assert_array_equal(sheet[:8, 8:, 2], cell)
    np.testing.assert_array_equal(sheet[8:, :8, 1], cell)
    assert not sheet[8:, 8:].any()


def test_montage_of_nothing_is_refused():
    with pytest.raises(ValueError, match="0 images"):
        montage([], columns=3, size=(8, 8))
