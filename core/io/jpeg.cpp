#ifdef PRIMER_LIBJPEG

#include "jpeg.h"

#include <csetjmp>
#include <cstdio>
// After <cstdio>, which it needs.
#include <jpeglib.h>
// After jpeglib.h.
#include <jerror.h>

#include <cstring>
#include <vector>

#include "../error.h"

namespace primer {
namespace {

/// The decoder, with a place to jump to when it fails, because it is C, and no exception may pass
/// through it.
class Decoder {
  public:
    Decoder() {
        info.err = jpeg_std_error(&manager_);
        manager_.error_exit = give_up;
        manager_.emit_message = warn;
        info.client_data = this;
        jpeg_create_decompress(&info);
        progress_.progress_monitor = count;
        info.progress = &progress_;
    }
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
    ~Decoder() { jpeg_destroy_decompress(&info); }

    /// Calls step(), which must own nothing that a longjmp out of it would leak.
    template <class Step>
    void run(const Step& step) {
        if (setjmp(back_) != 0) fail(text_);
        step();
    }

    jpeg_decompress_struct info{};
    Index most_scans = 1;

  private:
    static Decoder& of(j_common_ptr info) { return *static_cast<Decoder*>(info->client_data); }

    static void give_up(j_common_ptr info) {
        Decoder& self = of(info);
        self.manager_.format_message(info, self.text_);
        std::longjmp(self.back_, 1);
    }

    // Warnings of missing data are errors, because the decoder would invent pixels.
    static void warn(j_common_ptr info, int level) {
        if (level >= 0) return;
        switch (info->err->msg_code) {
            case JWRN_JPEG_EOF:
            case JWRN_HIT_MARKER:
            case JWRN_HUFF_BAD_CODE:
            case JWRN_ARITH_BAD_CODE:
            case JWRN_MUST_RESYNC:
            case JWRN_BOGUS_PROGRESSION:
                give_up(info);
        }
    }

    static void count(j_common_ptr info) {
        Decoder& self = of(info);
        if (self.info.input_scan_number <= self.most_scans) return;
        std::strcpy(self.text_, "more passes over it than any camera makes");
        std::longjmp(self.back_, 1);
    }

    jpeg_error_mgr manager_{};
    jpeg_progress_mgr progress_{};
    std::jmp_buf back_{};
    char text_[JMSG_LENGTH_MAX]{};
};

// Cyan, magenta, yellow and black are inverted, as in the files of Adobe's programs.
void to_rgb(const JSAMPLE* cmyk, Index pixels, std::uint8_t* rgb) {
    for (Index i = 0; i < pixels; ++i, cmyk += 4) {
        for (int c = 0; c < 3; ++c) *rgb++ = static_cast<std::uint8_t>(cmyk[c] * cmyk[3] / 255);
    }
}

}  // namespace

Image decode_jpeg(std::string_view bytes,
                  const std::function<Index(const JpegHeader&)>& most_scans) {
    Decoder decoder;
    jpeg_decompress_struct& info = decoder.info;
    decoder.run([&] {
        jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()),
                     static_cast<unsigned long>(bytes.size()));
        jpeg_read_header(&info, TRUE);
    });
    decoder.most_scans = most_scans({info.image_width, info.image_height, info.num_components,
                                     jpeg_has_multiple_scans(&info) != FALSE});
    const bool grey = info.num_components == 1, inks = info.num_components == 4;
    info.out_color_space = grey ? JCS_GRAYSCALE : inks ? JCS_CMYK : JCS_RGB;
    info.do_block_smoothing = FALSE;  // do not invent detail
    Image image(info.image_width, info.image_height, grey ? 1 : 3);
    std::vector<JSAMPLE> row(inks ? std::size_t{info.image_width} * 4 : 0);
    decoder.run([&] {
        jpeg_start_decompress(&info);
        while (info.output_scanline < info.output_height) {
            std::uint8_t* const to =
                image.pixels.data() + Index{info.output_scanline} * image.width * image.channels;
            JSAMPROW line = inks ? row.data() : to;
            jpeg_read_scanlines(&info, &line, 1);
            if (inks) to_rgb(row.data(), image.width, to);
        }
        jpeg_finish_decompress(&info);
    });
    return image;
}

}  // namespace primer

#endif
// SPDX-License-Identifier: MIT
