import Base, { defaultUrlTransform } from "react-markdown";
import remarkGfm from "remark-gfm";
import styles from "./metadata.module.css";

/**
 * Markdown as elements of React: HTML in it stays text, links lead to the web alone, and an image is its description,
 * since a picture from elsewhere would tell elsewhere who reads this.
 */
export default function Markdown({ text }: { readonly text: string }) {
  return (
    <div className={styles.markdown}>
      <Base
        remarkPlugins={[remarkGfm]}
        urlTransform={(url) => (/^https?:/i.test(url) ? defaultUrlTransform(url) : "")}
        components={{
          a: ({ href, children }) =>
            href === undefined || href === "" ? (
              <span>{children}</span>
            ) : (
              <a href={href} target="_blank" rel="noopener noreferrer">
                {children}
              </a>
            ),
          img: ({ alt }) => <em>{alt === undefined || alt === "" ? "image" : alt}</em>,
        }}
      >
        {text}
      </Base>
    </div>
  );
}
