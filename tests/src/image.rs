//! Screenshots: read, compared with a tolerance, written with a palette.

use std::fmt;
use std::io::Cursor;
use std::path::Path;

/// A picture of opaque pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Red, green and blue of each pixel, line by line.
    pub rgb: Vec<u8>,
}

/// Nobody reads a million numbers.
impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl Image {
    /// Reads a PNG of 8 bits a channel, with or without a palette. What shines through is white.
    ///
    /// # Errors
    /// In the decoder's words.
    pub fn read(png: &[u8]) -> Result<Self, String> {
        let mut decoder = png::Decoder::new(Cursor::new(png));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::ALPHA);
        let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
        let mut data = vec![0; reader.output_buffer_size().unwrap_or_default()];
        let info = reader.next_frame(&mut data).map_err(|error| error.to_string())?;
        let over_white = |value: u8, alpha: u8| {
            let (value, alpha) = (u32::from(value), u32::from(alpha));
            u8::try_from((value * alpha + 255 * (255 - alpha)) / 255).unwrap_or(255)
        };
        let rgb = match info.color_type {
            png::ColorType::Rgba => {
                data.chunks_exact(4).flat_map(|p| [0, 1, 2].map(|i| over_white(p[i], p[3]))).collect()
            }
            png::ColorType::GrayscaleAlpha => {
                data.chunks_exact(2).flat_map(|p| [over_white(p[0], p[1]); 3]).collect()
            }
            other => return Err(format!("a PNG of type {other:?}")),
        };
        Ok(Self { width: info.width, height: info.height, rgb })
    }

    /// The picture at a part of its size: each pixel is the mean of a square of so many.
    #[must_use]
    pub fn smaller(&self, by: u32) -> Self {
        let (width, height) = (self.width / by, self.height / by);
        let mut rgb = Vec::new();
        for y in 0..height {
            for x in 0..width {
                for channel in 0..3 {
                    let mut sum = 0;
                    for (dx, dy) in (0..by).flat_map(|dy| (0..by).map(move |dx| (dx, dy))) {
                        let at = ((y * by + dy) * self.width + x * by + dx) as usize * 3 + channel;
                        sum += u32::from(self.rgb[at]);
                    }
                    rgb.push(u8::try_from(sum / (by * by)).unwrap_or(255));
                }
            }
        }
        Self { width, height, rgb }
    }

    /// The share of pixels that differ by more than `tolerance` (of 255) in a channel; 1 for pictures of different
    /// sizes.
    pub fn difference(&self, other: &Self, tolerance: u8) -> f64 {
        if (self.width, self.height) != (other.width, other.height) {
            return 1.0;
        }
        let pixels = self.rgb.chunks_exact(3).zip(other.rgb.chunks_exact(3));
        let differ =
            pixels.filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > tolerance)).count();
        differ as f64 / f64::from(self.width * self.height).max(1.0)
    }

    /// As PNG with a palette of at most 256 colours; `index` tells the colour of a pixel.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, path: &Path, palette: &[u8], index: impl Fn(&[u8]) -> u8) -> Result<(), String> {
        let indexes: Vec<u8> = self.rgb.chunks_exact(3).map(index).collect();
        let file = std::fs::File::create(path).map_err(|error| error.to_string())?;
        let mut encoder = png::Encoder::new(std::io::BufWriter::new(file), self.width, self.height);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette.to_vec());
        encoder.set_compression(png::Compression::High);
        // Areas of one colour: neighbours predict nothing.
        encoder.set_filter(png::Filter::NoFilter);
        let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
        writer.write_image_data(&indexes).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(value: u8) -> Image {
        Image { width: 4, height: 4, rgb: vec![value; 48] }
    }

    #[test]
    fn a_difference_is_counted_beyond_the_tolerance_only() {
        let mut other = flat(100);
        other.rgb[0] = 110;
        assert_eq!(flat(100).difference(&other, 10), 0.0);
        assert_eq!(flat(100).difference(&other, 9), 1.0 / 16.0);
        assert_eq!(flat(100).difference(&flat(100).smaller(2), 255), 1.0);
        assert_eq!(other.smaller(2).rgb[0], 102);
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = crate::harness::TempDir::new("image");
        let path = dir.join("two.png");
        let image = Image { width: 2, height: 1, rgb: vec![0, 0, 0, 255, 10, 20] };
        image.write(&path, &[0, 0, 0, 255, 10, 20], |pixel| u8::from(pixel[0] > 0)).expect("it is written");
        assert_eq!(Image::read(&std::fs::read(&path).expect("it is there")), Ok(image));
    }
}
